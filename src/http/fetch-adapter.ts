import type { HttpFunction } from './handlers.js'
import type { HttpRequest } from './request.js'
import { HttpError, HttpResponse, type ResponseBody } from './response.js'

/** What Hono, h3, itty-router and the like export: `app.fetch`. */
export type FetchFunction = (request: Request) => Response | Promise<Response>

/** Fields that say how a message travels, which is the server's to decide. */
const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'upgrade'])

/**
 * Runs a fetch-style application: what WSGI is to Python. Bodies are streamed both ways.
 * @example
 * import { Hono } from 'hono'
 * const app = new Hono().get('/', (context) => context.text('Hello from Hono'))
 * await serveHttp('http://127.0.0.1:8000', fetchHandler(app.fetch))
 */
export function fetchHandler(fetch: FetchFunction): HttpFunction {
  return async (request) => toHttpResponse(await fetch(toRequest(request)))
}

/** @throws HttpError 501 for CONNECT and TRACE, which fetch does not know. */
function toRequest(request: HttpRequest): Request {
  const { method, headers, body, signal } = request
  if (method === 'CONNECT' || method === 'TRACE') throw new HttpError(501)
  const fields = new Headers()
  for (const [name, value] of headers) fields.append(name, value)
  const streams =
    body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body: toStream(body), duplex: 'half' as const }
  return new Request(request.url, { method, headers: fields, signal, ...streams })
}

function toStream(body: { read(): Promise<Uint8Array | null> }): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await body.read()
        if (bytes === null) controller.close()
        else controller.enqueue(bytes)
      },
    },
    { highWaterMark: 0 },
  )
}

function toHttpResponse(response: Response): HttpResponse {
  const fields: [string, string][] = []
  let length: number | undefined
  let endless = false
  for (const [name, value] of response.headers) {
    if (name === 'content-length' && /^\d{1,15}$/.test(value)) length = Number(value)
    if (name === 'content-type' && value.startsWith('text/event-stream')) endless = true
    if (!HOP.has(name) && name !== 'set-cookie') fields.push([name, value])
  }
  for (const cookie of response.headers.getSetCookie()) fields.push(['Set-Cookie', cookie])
  const { status } = response
  // Without a content type of its own the body has none.
  return new HttpResponse(bodyOf(response), {
    ...{ status, headers: fields, endless },
    ...(length === undefined ? {} : { length }),
  })
}

function bodyOf({ body }: Response): ResponseBody {
  if (body === null) return null
  return { [Symbol.asyncIterator]: () => new Reading(body.getReader()) }
}

/** The iterator of a stream cancels it behind the read that is under way, which may be never; a reader does it at once. */
class Reading implements AsyncIterator<Uint8Array, undefined> {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { done, value } = await this.#reader.read()
    return done ? { done: true, value: undefined } : { done: false, value }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#reader.cancel()
    return { done: true, value: undefined }
  }
}
