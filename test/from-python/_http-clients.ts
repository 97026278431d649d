import { createHash } from 'node:crypto'
import {
  hashPassword,
  json,
  redirect,
  text,
  withBasicAuth,
  type HttpFunction,
  type HttpRequest,
  type HttpResponse,
} from '#src/http/index.js'
import { HttpResponse as Response } from '#src/http/response.js'

/** A program of docs/from-python that sends requests, and what it prints. */
export interface ClientProgram {
  readonly name: string
  readonly printed: string
  /** What stands behind the address in its command line. */
  readonly more?: 'file' | 'proxy' | 'target'
  /** What is compared beside method, path, fields and body. */
  readonly fields?: readonly string[]
}

const ACCOUNTS = { ann: await hashPassword('secret') }
export const LARGE: Buffer = Buffer.alloc(300_000, 'moorage ')

export const HTTP_CLIENTS: readonly ClientProgram[] = [
  {
    name: 'http-client',
    printed: '200 OK\ntext/plain; charset=utf-8\nhello Ann\n201 kept\n',
    fields: ['x-own', 'content-type', 'content-length'],
  },
  {
    name: 'urllib-client',
    printed: '200 found a b&c on 2\n200 hello Ann\nfailed with 404\n',
    fields: ['content-type'],
  },
  {
    name: 'requests-get',
    printed: "200 True iso-8859-1\ntext/html; charset=iso-8859-1\nGrüße\n5\n[(302, '/latin')]\n",
    fields: ['accept'],
  },
  { name: 'requests-params', printed: 'found Grüße & more on 2\n' },
  { name: 'requests-form', printed: '200 welcome ann\n', fields: ['content-type', 'content-length'] },
  { name: 'requests-json', printed: '7 Ann a,b\n', fields: ['content-type'] },
  { name: 'requests-upload', printed: '201 Notes: 12 bytes\n', more: 'file', fields: ['content-type'] },
  { name: 'requests-proxies', printed: '200 seen through the proxy\n', more: 'proxy', fields: ['proxy-authorization'] },
  { name: 'requests-download', printed: `${LARGE.length}\n`, more: 'target' },
  { name: 'requests-cookies', printed: 'of-ann\naccount of-ann\naccount given\n', fields: ['cookie'] },
  { name: 'requests-user-agent', printed: 'True\n' },
  { name: 'requests-auth', printed: '401\nhello ann\nhello digest\n', fields: ['authorization'] },
  { name: 'requests-timeout', printed: 'too late\n' },
]

/** The same server for both languages; it notes what it saw. */
export function siteOf(seen: string[], fields: readonly string[] = []): HttpFunction {
  const basic = withBasicAuth(() => text('hello ann'), ACCOUNTS)
  return async (request, ...rest) => {
    const body = await bodyOf(request)
    seen.push(
      JSON.stringify({
        method: request.method,
        path: request.path,
        query: [...request.query],
        fields: fieldsOf(request, fields),
        body,
      }),
    )
    if (request.path === '/basic') return basic(request, ...rest)
    return answer(request, body)
  }
}

function answer(request: HttpRequest, body: unknown): HttpResponse | Promise<HttpResponse> {
  const { path, query, headers } = request
  switch (path) {
    case '/hello':
      return text(`hello ${query.get('name') ?? ''}`)
    case '/notes/1':
      return text(String(body), { status: 201 })
    case '/search':
      return text(`found ${query.get('word') ?? ''} on ${query.get('page') ?? ''}`)
    case '/form':
      return text(`hello ${new URLSearchParams(String(body)).get('name') ?? ''}`)
    case '/page':
      return redirect('/latin')
    case '/latin':
      return new Response(Buffer.from('Grüße', 'latin1'), {
        headers: { 'content-type': 'text/html; charset=iso-8859-1' },
      })
    case '/login':
      return query.has('user')
        ? text('', { headers: { 'set-cookie': `session=of-${query.get('user') ?? ''}; Path=/` } })
        : text(`welcome ${new URLSearchParams(String(body)).get('user') ?? ''}`)
    case '/account':
      return text(`account ${/session=([^;]*)/.exec(headers.get('cookie') ?? '')?.[1] ?? ''}`)
    case '/users':
      return json({ id: 7, ...(typeof body === 'object' ? body : {}) })
    case '/upload':
      return text(`Notes: 12 bytes`, { status: 201 })
    case '/behind':
      return text('seen through the proxy')
    case '/large':
      return new Response(LARGE)
    case '/agent':
      return text(headers.get('user-agent') ?? '')
    case '/digest':
      return digest(headers.get('authorization'))
    case '/silent':
      return new Promise((resolve) => request.signal.addEventListener('abort', () => resolve(text('nobody is there'))))
    default:
      return text('there is no such page', { status: 404 })
  }
}

/** Of MD5 with qop, as most servers have it. */
function digest(authorization: string | undefined): HttpResponse {
  const param = (name: string): string =>
    new RegExp(`${name}="?([^",]*)"?`).exec(authorization?.replace('cnonce', 'Xnonce') ?? '')?.[1] ?? ''
  const md5 = (words: string): string => createHash('md5').update(words).digest('hex')
  const cnonce = /cnonce="([^"]*)"/.exec(authorization ?? '')?.[1] ?? ''
  const first = md5('ann:here:secret')
  const second = md5('GET:/digest')
  const expected = md5([first, 'once', param('nc'), cnonce, 'auth', second].join(':'))
  return param('response') === expected
    ? text('hello digest')
    : text('', {
        status: 401,
        headers: { 'www-authenticate': 'Digest realm="here", nonce="once", qop="auth", algorithm=MD5' },
      })
}

/** What is the same in both, whatever the boundary and the spaces are. */
async function bodyOf(request: HttpRequest): Promise<unknown> {
  const type = request.headers.get('content-type') ?? ''
  if (type.startsWith('multipart/')) {
    const form = await request.formData()
    const parts: unknown[] = []
    for (const [name, value] of form)
      parts.push(
        typeof value === 'string'
          ? [name, value]
          : [name, value.name, value.type, String(Buffer.from(await value.bytes()))],
      )
    return parts
  }
  const words = (await request.body?.text()) ?? ''
  return type.includes('json') ? JSON.parse(words) : words
}

function fieldsOf(request: HttpRequest, names: readonly string[]): readonly (readonly [string, string])[] {
  return names.flatMap((name) => {
    const value = request.headers.get(name)
    return value === undefined ? [] : [[name, normal(name, value)] as const]
  })
}

function normal(name: string, value: string): string {
  if (name === 'authorization' && value.startsWith('Digest')) return 'Digest'
  return name === 'content-type' ? value.replace(/boundary=.*/, 'boundary').toLowerCase() : value
}
