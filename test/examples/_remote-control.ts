import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ensureCertificate } from '#src/cli/certificate.js'
import { within } from '#src/testing/contract-row.js'
import { connect, type TlsClientOptions } from 'moorage'
import { example } from '../fixtures/example.js'

export const TOKEN = 'a token of the tests'

export interface Answer {
  readonly stream?: 'stdout' | 'stderr'
  readonly data?: string
  readonly exit?: number | null
  readonly error?: string
}

/** The example with some commands, on free ports; with `page` also its page. */
export async function start(context: TestContext, { page = false }: { readonly page?: boolean } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'moorage-remote-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const state = join(folder, 'moorage')
  const { path: ca, cert, key } = await ensureCertificate(state)
  const auditLog = join(folder, 'audit.jsonl')
  const config = {
    token: TOKEN,
    auditLog,
    timeLimitMs: 1000,
    outputLimitBytes: 100_000,
    commands: {
      greet: { run: ['/bin/echo', 'hello'], parameters: ['[a-z]+'] },
      mixed: { run: ['/bin/sh', '-c', 'echo out; echo err >&2; exit 7'] },
      touch: { run: ['/usr/bin/touch', join(folder, 'touched')] },
      wait: { run: ['/bin/sh', '-c', 'echo $$; sleep 600'] },
      // Colors, a title, a line that is written over, text that is turned around, and a page.
      tricks: {
        run: [
          '/usr/bin/printf',
          '\\033[31mred\\033[0m \\033]0;title\\007 over\\rwritten \\342\\200\\256desrever <b>bold</b>\\n',
        ],
      },
      // Its own session: no signal to the group reaches it, and it holds the pipes.
      linger: { run: ['/bin/sh', '-c', 'setsid sleep 600 & echo $!'] },
      flood: { run: ['/usr/bin/yes'] },
      missing: { run: ['/nonexistent/program'] },
    },
  }
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify(config))
  const env = { XDG_STATE_HOME: folder }
  const server = example(
    context,
    'remote-control/start',
    [file, 'tls://localhost:0', ca, ...(page ? ['--page', 'https://localhost:0'] : [])],
    { env },
  )
  const endpoint = await server.endpoint()
  const open = async (request: unknown, tls: TlsClientOptions = {}) => {
    const connection = await connect(endpoint, { tls: { ca: cert, ...tls } })
    await connection.write(`${JSON.stringify(request)}\n`)
    return connection
  }
  const ask = async (request: unknown, tls?: TlsClientOptions): Promise<Answer[]> => {
    const connection = await open(request, tls)
    const answers: Answer[] = []
    const reading = (async () => {
      for await (const line of connection.lines({ maxLineBytes: 1_000_000 })) answers.push(JSON.parse(line) as Answer)
    })()
    await within('the answers', reading)
    await connection.close()
    return answers
  }
  const audit = (): Record<string, unknown>[] =>
    existsSync(auditLog)
      ? readFileSync(auditLog, 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>)
      : []
  const pageUrl = page ? await server.printed(/listening on (https:\S+)/) : ''
  return { pageUrl, folder, ca, cert, key, endpoint, ask, open, audit, auditLog, server, state }
}

export function isAlive(pid: number): boolean {
  assert.ok(Number.isInteger(pid) && pid > 1)
  try {
    // A zombie still answers signals.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
