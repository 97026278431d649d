import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { ClientResponse, RequestOptions, Session } from '../client/index.js'
import type { Output } from './output.js'
import { ProgressLine, progressOf } from './progress.js'

export interface SentFile {
  readonly method: string
  readonly url: string
  readonly source: string
  readonly request: RequestOptions
}

/** Sends a file so that the same command goes on with it, where the server can; shows how far it is. */
export async function sendFile(
  session: Session,
  { method, url, source, request }: SentFile,
  output: Output,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ClientResponse> {
  const { body: _body, ...rest } = request
  const folder = join(env['XDG_STATE_HOME'] ?? join(env['HOME'] ?? '.', '.local/state'), 'moorage/uploads')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // No URL is in a name: it may have a secret.
  const key = createHash('sha256')
    .update(`${url}\n${resolve(source)}`)
    .digest('hex')
  const line = new ProgressLine(output)
  const show = progressOf(line, basename(source))
  try {
    const { response, resumed } = await session.upload(url, source, {
      ...rest,
      method,
      stateFile: join(folder, `${key}.json`),
      onProgress: ({ sent, total }) => show(sent, total),
    })
    if (resumed > 0) output.note(`went on at byte ${resumed}`, { event: 'resumed', bytes: resumed })
    return response
  } finally {
    line.clear()
  }
}
