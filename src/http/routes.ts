import { UsageError } from '../base/errors.js'
import type { ServerContext } from '../server/handlers.js'
import {
  allowing,
  isKnownMethod,
  notImplemented,
  toHttpFunction,
  type HttpFunction,
  type HttpHandlerSource,
} from './handlers.js'
import type { HttpRequest } from './request.js'
import { HttpError, type HttpResponse } from './response.js'

/** The names in a pattern: `/users/:id/*path` has `id` and `path`. */
export type PathParams<Pattern extends string> = Pattern extends `${infer Head}/${infer Tail}`
  ? PathParams<Head> & PathParams<Tail>
  : Pattern extends `:${infer Name}` | `*${infer Name}`
    ? { readonly [K in Name]: string }
    : unknown

/** A method, so that a handler of one pattern fits where one of any is taken: the table gives each the names of its own. */
interface RouteHandler<Pattern extends string> {
  run(
    request: HttpRequest & { readonly params: PathParams<Pattern> },
    server: ServerContext,
  ): HttpResponse | Promise<HttpResponse>
}

/** A handler of one route: what stands for the names of its pattern is in `request.params`. */
export type RouteFunction<Pattern extends string> = RouteHandler<Pattern>['run']

interface AnyRoute {
  run(request: HttpRequest, server: ServerContext): HttpResponse | Promise<HttpResponse>
}

interface Route {
  readonly names: readonly string[]
  readonly handler: AnyRoute['run']
}

/** One segment of the paths that are known, and what may follow it. */
class Segment {
  readonly fixed = new Map<string, Segment>()
  any: Segment | undefined
  /** By method; `''` stands for all of them. */
  readonly routes = new Map<string, Route>()
  /** Of patterns that take the rest of the path. */
  readonly rest = new Map<string, Route>()
}

interface Found {
  readonly routes: ReadonlyMap<string, Route>
  readonly values: readonly string[]
}

/**
 * A route table: the handler for a method and a path. A fixed segment is preferred to a `:name`, and a `:name` to a
 * `*name`, which takes the rest of the path. What has no route is 404; a path without this method is 405 with what there
 * is; HEAD is answered as GET, and OPTIONS with the methods, unless they have routes.
 * @example
 * const routes = new Routes()
 *   .get('/users/:id', ({ params }) => json({ id: params.id }))
 *   .post('/users', async (request) => json(await request.json(), { status: 201 }))
 * await serveHttp('http://127.0.0.1:8000', routes)
 */
export class Routes {
  readonly #root = new Segment()

  /** @throws UsageError `ERR_ARGUMENT` for a pattern that is none, or one that has this method already. */
  on<Pattern extends string>(method: string, pattern: Pattern, handler: RouteFunction<Pattern>): this {
    return this.#add(method, pattern, handler)
  }

  get<Pattern extends string>(pattern: Pattern, handler: RouteFunction<Pattern>): this {
    return this.on('GET', pattern, handler)
  }

  post<Pattern extends string>(pattern: Pattern, handler: RouteFunction<Pattern>): this {
    return this.on('POST', pattern, handler)
  }

  put<Pattern extends string>(pattern: Pattern, handler: RouteFunction<Pattern>): this {
    return this.on('PUT', pattern, handler)
  }

  patch<Pattern extends string>(pattern: Pattern, handler: RouteFunction<Pattern>): this {
    return this.on('PATCH', pattern, handler)
  }

  delete<Pattern extends string>(pattern: Pattern, handler: RouteFunction<Pattern>): this {
    return this.on('DELETE', pattern, handler)
  }

  /** A handler class, a function or an object for every method of the pattern. */
  all(pattern: string, handler: HttpHandlerSource): this {
    return this.#add('', pattern, toHttpFunction(handler))
  }

  /**
   * Everything under a path, which the handler sees without it: other routes, files. What stands for the `:names` of the
   * path is in `request.params` there too.
   */
  mount(prefix: string, handler: HttpHandlerSource): this {
    const inner = toHttpFunction(handler)
    const base = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
    const depth = base.includes('/:') ? base.split('/').length : 0
    const run: HttpFunction = (request, server) =>
      inner(request.within(depth === 0 ? base : request.path.split('/', depth).join('/')), server)
    return this.#add('', base === '' ? '/' : base, run).#add('', `${base}/*`, run)
  }

  #add(method: string, pattern: string, handler: AnyRoute['run']): this {
    if (!pattern.startsWith('/'))
      throw new UsageError('ERR_ARGUMENT', `Cannot add the route ${JSON.stringify(pattern)}: a pattern begins with "/"`)
    const names: string[] = []
    const parts = pattern.slice(1).split('/')
    let segment = this.#root
    let table: Map<string, Route> | undefined
    for (const [i, part] of parts.entries()) {
      if (part.startsWith('*')) {
        if (i < parts.length - 1)
          throw new UsageError(
            'ERR_ARGUMENT',
            `Cannot add the route ${pattern}: "${part}" takes the rest, so it comes last`,
          )
        names.push(part.slice(1))
        table = segment.rest
      } else if (part.startsWith(':')) {
        names.push(part.slice(1))
        segment = segment.any ??= new Segment()
      } else {
        const next = segment.fixed.get(part) ?? new Segment()
        segment.fixed.set(part, next)
        segment = next
      }
    }
    table ??= segment.routes
    if (table.has(method))
      throw new UsageError(
        'ERR_ARGUMENT',
        `Cannot add the route ${pattern}: it has a handler for ${method === '' ? 'all methods' : method} already`,
      )
    if (new Set(names).size < names.length)
      throw new UsageError('ERR_ARGUMENT', `Cannot add the route ${pattern}: a name stands in it twice`)
    table.set(method, { names, handler })
    return this
  }

  handle(request: HttpRequest, server: ServerContext): HttpResponse | Promise<HttpResponse> {
    const { method, path } = request
    const found = find(this.#root, path.slice(1).split('/'), 0, [])
    if (found === undefined) throw new HttpError(404)
    const { routes, values } = found
    const route = routes.get(method) ?? (method === 'HEAD' ? routes.get('GET') : undefined) ?? routes.get('')
    if (route === undefined) return isKnownMethod(method) ? allowing(routes.keys(), method) : notImplemented()
    if (route.names.length > 0) request.params = { ...request.params, ...named(route.names, values) }
    return route.handler(request, server)
  }
}

/** The most special match: fixed before `:name` before `*name`, and back where the way ends. */
function find(segment: Segment, parts: readonly string[], at: number, values: readonly string[]): Found | undefined {
  const part = parts[at]
  if (part === undefined) return segment.routes.size > 0 ? { routes: segment.routes, values } : undefined
  const fixed = segment.fixed.get(part)
  const byName = fixed === undefined ? undefined : find(fixed, parts, at + 1, values)
  if (byName !== undefined) return byName
  const byAny =
    segment.any === undefined || part === '' ? undefined : find(segment.any, parts, at + 1, [...values, part])
  if (byAny !== undefined) return byAny
  return segment.rest.size > 0 ? { routes: segment.rest, values: [...values, parts.slice(at).join('/')] } : undefined
}

function named(names: readonly string[], values: readonly string[]): Readonly<Record<string, string>> {
  const params: Record<string, string> = {}
  for (const [i, name] of names.entries()) {
    try {
      params[name] = decodeURIComponent(values[i] ?? '')
    } catch {
      throw new HttpError(400, 'The path is not encoded as it should be')
    }
  }
  return params
}
