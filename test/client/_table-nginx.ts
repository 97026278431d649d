import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { json, text } from '#src/http/index.js'
import { serveHttp } from '#src/http/server.js'
import { patternBytes } from '#src/testing/contract-row.js'
import { NGINX, startNginx, type Nginx } from '../fixtures/nginx.js'

export const BIG: Uint8Array = patternBytes(2_000_000)
export const POEM: string = 'All along the line it said the same.\n'.repeat(100)

/** Who may see what is locked. */
export const SERVER_USER = { user: 'ada', password: 'l0cked' } as const

const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'index.html': '<!doctype html>home',
  'hello.txt': 'hello, nginx',
  'digits.txt': '0123456789',
  'poem.txt': POEM,
  'big.bin': BIG,
  'folder/index.html': 'index of the folder',
  'lost.html': 'it is not here',
  passwords: `${SERVER_USER.user}:{PLAIN}${SERVER_USER.password}\n`,
  'cyrillic/page.txt': Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]),
}

/** What its places are for says the row that asks for them. */
const rules = (root: string, upstream: string): string => `
    gzip on; gzip_min_length 100; gzip_types text/plain;
    error_page 404 /lost.html;
    location = /cookie { add_header Set-Cookie visit=1; return 200 "cookie: $http_cookie"; }
    location = /temporary { return 307 /echo/; }
    location = /moved { return 301 https://127.0.0.1:$server_port/hello.txt; }
    location = /teapot { return 418 "short and stout"; }
    location = /closed { return 444; }
    location = /broken { return 500; }
    location = /down { proxy_pass http://127.0.0.1:1; }
    location = /count { keepalive_requests 3; return 200 "$connection_requests"; }
    location = /protocol { return 200 "$server_protocol $request_method"; }
    location /echo/ { proxy_pass ${upstream}; proxy_http_version 1.1; client_max_body_size 64m; }
    location /small/ { proxy_pass ${upstream}; client_max_body_size 10; }
    location /streamed/ { proxy_pass ${upstream}; proxy_http_version 1.1; proxy_request_buffering off; proxy_buffering off; client_max_body_size 64m; }
    location /private/ { auth_basic closed; auth_basic_user_file ${root}/passwords; return 200 "in"; }
    location /locked/ { auth_basic closed; auth_basic_user_file ${root}/passwords; alias ${root}/; }
    location /slow/ { alias ${root}/; limit_rate 8000k; limit_rate_after 500k; }
    location /crawling/ { alias ${root}/; limit_rate 1; limit_rate_after 1k; }
    location /kept/ { alias ${root}/; expires 1h; add_header X-Kept yes; }
    location /cyrillic/ { charset windows-1251; }
    location /once/ { alias ${root}/; keepalive_timeout 0; }
    location /single/ { alias ${root}/; max_ranges 1; }
    location /whole/ { alias ${root}/; max_ranges 0; }
    location /hints/ { return 204; }
`

/** `undefined` where there is none. */
export async function startTableNginx(
  t: TestContext,
  tls: { readonly cert: string; readonly key: string },
): Promise<Nginx | undefined> {
  if (!existsSync(NGINX)) return undefined
  const upstream = await serveHttp(
    'http://127.0.0.1:0',
    async ({ method, path, body, headers }) => {
      const bytes = (await body?.bytes()) ?? new Uint8Array()
      return path.endsWith('/length')
        ? json({ length: bytes.length, sent: headers.get('content-length') ?? 'chunked' })
        : text(`${method} ${Buffer.from(bytes).toString('utf8')}`)
    },
    { maxBodyBytes: 64 * 1024 * 1024 },
  )
  t.after(() => upstream.close({ graceMs: 0 }))
  return startNginx(t, { ...tls, files: FILES, rules: (root) => rules(root, upstream.endpoint) })
}
