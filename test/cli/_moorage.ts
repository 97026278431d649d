import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { HttpFunction } from '#src/http/index.js'
import { serveHttp } from '#src/http/server.js'

export const MAIN: string = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

export interface Ended {
  readonly code: unknown
  readonly out: string
  readonly err: string
}

export async function serving(t: TestContext, handler: HttpFunction): Promise<string> {
  const server = await serveHttp('http://127.0.0.1:0', handler)
  t.after(() => server.close({ graceMs: 0 }))
  return server.endpoint.replace(/\/$/, '')
}

export async function moorage(
  args: readonly string[],
  stdin = '',
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: 'pipe',
    timeout: 30_000,
    env: { ...process.env, ...env },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (bytes) => (out += String(bytes)))
  child.stderr.on('data', (bytes) => (err += String(bytes)))
  child.stdin.end(stdin)
  const [code]: unknown[] = await once(child, 'close')
  return { code, out, err }
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}
