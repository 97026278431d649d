import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { files } from '#src/static/files.js'
import type { FilesOptions } from '#src/static/options.js'
import type { UploadOptions } from '#src/static/upload/options.js'
import { readAll } from '#src/testing/connection-pair.js'
import { within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'

export const base: string = realpathSync(mkdtempSync(join(tmpdir(), 'moorage-uploads-')))
export const root: string = join(base, 'root')
export const outside: string = join(base, 'outside')

export interface Answer {
  readonly status: number
  readonly body: string
  /** With what came before it: 100, 104. */
  readonly all: string
  field(name: string): string | undefined
}

/** Sends a request as it is written: fetch would tidy it. */
export async function ask(
  server: HttpServer,
  method: string,
  target: string,
  fields: Readonly<Record<string, string>> = {},
  body: string | Buffer = '',
): Promise<Answer> {
  const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  const hasLength = 'Transfer-Encoding' in fields || 'Content-Length' in fields
  const length = hasLength ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  const host = 'Host' in fields ? '' : 'Host: a\r\n'
  const head = `${method} ${target} HTTP/1.1\r\n${host}Connection: close\r\n${length}${lines.join('')}\r\n`
  await connection.write(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]))
  const all = Buffer.from(await within(`the answer to ${method} ${target}`, readAll(connection))).toString('latin1')
  await connection.close()
  const last = all.slice(all.search(/HTTP\/1\.1 [2-5]/))
  const head2 = last.slice(0, last.indexOf('\r\n\r\n') + 2)
  return {
    status: Number(last.slice(9, 12)),
    body: last.slice(last.indexOf('\r\n\r\n') + 4),
    all,
    field: (name) => new RegExp(`^${name}: (.*)\r$`, 'im').exec(head2)?.[1],
  }
}

export async function withUploads(
  upload: UploadOptions | true,
  use: (server: HttpServer) => Promise<void>,
  options: FilesOptions = {},
): Promise<void> {
  const server = await serveHttp('http://127.0.0.1:0', files(root, { ...options, upload }))
  try {
    await use(server)
  } finally {
    await server.close({ graceMs: 100 })
  }
}

export const content = (name: string): string => readFileSync(join(root, name), 'utf8')
/** What is there, with what is hidden. */
export const names = (folder: string = ''): readonly string[] => readdirSync(join(root, folder)).toSorted()
export const START: readonly string[] = ['.hidden', 'inner', 'old.txt', 'outer', 'sub']
export const digestOf = (text: string, algorithm: string = 'sha256'): string =>
  `${algorithm.replace('sha', 'sha-')}=:${createHash(algorithm).update(text).digest('base64')}:`

export function fill(): void {
  for (const folder of [root, outside]) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
  }
  for (const folder of ['sub', '.hidden']) mkdirSync(join(root, folder))
  writeFileSync(join(root, 'old.txt'), 'the old one')
  symlinkSync(outside, join(root, 'outer'))
  symlinkSync('sub', join(root, 'inner'))
}
