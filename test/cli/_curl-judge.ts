import assert from 'node:assert/strict'
import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TestProxy } from '../fixtures/proxy.js'
import type { CurlJob, CurlJobDone } from './_curl-worker.js'
import { RecordingServer } from './_recording-server.js'

/** One command line, for curl and for `moorage curl`. */
export interface CurlRow {
  readonly name: string
  /** `{url}` is the server, `{port}` its port, `{proxy}` a proxy of SOCKS and HTTP. They run in a folder with the files below. */
  readonly words: readonly string[]
  /** What the server answers, request by request. '' ends the connection. */
  readonly answers?: readonly string[]
  readonly stdin?: string
  /** Variables of the environment; the words of `words` stand for the same in their values. */
  readonly env?: Readonly<Record<string, string>>
  /** The server speaks TLS, `{url}` is `https://localhost`, and `ca.pem` has its certificate. */
  readonly isTls?: boolean
  /** What curl sends differently, and why that stays: each part of curl's bytes with what stands for it in ours. */
  readonly explained?: {
    readonly why: string
    readonly parts: readonly (readonly [theirs: string, ours: string])[]
  }
  /** Why what is printed is not compared. */
  readonly printsOther?: string
  /** Of curl 7 alone: others wait for a 100 in other cases. */
  readonly onlyCurl7?: boolean
}

/** 1 MiB and a little: what is asked about before it is sent. */
const LARGE = 'a'.repeat(1024 * 1024 + 1)

export const FILES: Readonly<Record<string, string>> = {
  'f.txt': 'hi',
  'lines.txt': 'a=1\r\n&b=2\n',
  'page.html': '<p>',
  'data.json': '{"a":\n1}',
  'unknown.xyz': '\u0001\u0002',
  'a name.txt': 'spaced',
  'headers.txt': 'X-One: 1\nX-Two: two\n',
  'netrc.txt': 'machine 127.0.0.1 login ann password secret\n',
  'cookies.txt': [
    '# Netscape HTTP Cookie File',
    '127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tone',
    '127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tlasting\ttwo',
    '127.0.0.1\tFALSE\t/elsewhere\tFALSE\t4102444800\tother\tthree',
    'example.org\tFALSE\t/\tFALSE\t4102444800\tforeign\tfour',
    '',
  ].join('\n'),
  'some-cookies.txt': 'no cookie\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tone\nx\ty\tz\n',
  'heads.txt': [
    'HTTP/1.1 200 OK',
    'Set-Cookie: z=1',
    'set-cookie: y=2; path=/0',
    'Set-Cookie: v=3; domain=example.org',
    '\r\n',
  ].join('\r\n'),
  'netrc-two.txt': 'machine 127.0.0.1 login a password b\nmachine localhost login c password d\n',
  'self.txt': '-K self.txt\nuser-agent = itself\n',
  "odd(1)!'*~.txt": 'odd',
  'etag.txt': '"abc"\n',
  'config.txt': '# flags\nuser-agent = "from a file"\n-H "X-Config: yes"\ndata=a=1\n',
  'part.txt': '01234',
  'old.txt': 'old',
  '.netrc': 'machine 127.0.0.1\nlogin home\npassword secret\n',
}

const OLD = new Date(Date.UTC(2020, 1, 29, 12))

export const MAIN: string = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

/** '7.88.1'; `undefined` where there is none. */
export const curlVersion: string | undefined = /^curl (\S+)/.exec(
  spawnSync('curl', ['--version'], { encoding: 'utf8' }).stdout ?? '',
)?.[1]

interface Outcome extends CurlJobDone {
  readonly recorded: string
  readonly files: Readonly<Record<string, string>>
}

interface Setting {
  readonly folder: string
  readonly stdin: string
  readonly env: NodeJS.ProcessEnv
}

type Run = (words: readonly string[], setting: Setting) => Promise<CurlJobDone>

async function runOne(server: RecordingServer, row: CurlRow, run: Run): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'judge-'))
  try {
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text)
    utimesSync(join(folder, 'old.txt'), OLD, OLD)
    if (row.words.some((word) => word.includes('large.bin'))) writeFileSync(join(folder, 'large.bin'), LARGE)
    mkdirSync(join(folder, 'out'))
    if (server.certificate !== undefined) writeFileSync(join(folder, 'ca.pem'), server.certificate)
    const url = `${server.certificate === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${server.port}`
    server.begin(row.answers ?? [])
    const credentials = row.words.includes('-U') ? { credentials: { user: 'a', password: 'b' } } : {}
    await using proxy = await TestProxy.start(credentials)
    const fill = (word: string): string =>
      word
        .replaceAll('{url}', url)
        .replaceAll('{proxy}', `127.0.0.1:${proxy.port}`)
        .replaceAll('{port}', String(server.port))
    const env = { ...environment(folder) }
    for (const [name, value] of Object.entries(row.env ?? {})) env[name] = fill(value)
    const done = await run(['-sS', ...row.words.map(fill)], { folder, env, stdin: row.stdin ?? '' })
    return { ...done, recorded: `${proxy.asked.join('\n')}${server.recorded}`, files: filesOf(folder) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** In a process of its own. */
const byProgram =
  (...program: readonly [command: string, ...before: readonly string[]]): Run =>
  async (words, { folder, stdin, env }) => {
    const [command, ...before] = program
    const child = spawn(command, [...before, ...words], { cwd: folder, env, timeout: 30_000 })
    let [out, err] = ['', '']
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString('latin1')))
    child.stderr.on('data', (bytes) => (err += String(bytes)))
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin)
    const [exit]: unknown[] = await once(child, 'close')
    return { out, err, exit: Number(exit) }
  }

/** One process for many command lines, as most of the time of one is that of its start. */
export class CurlWorker {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('_curl-worker.js', import.meta.url)))

  readonly run: Run = async (words, { folder, env }) => {
    const job: CurlJob = { words, folder, env }
    this.#child.send(job)
    const [done]: CurlJobDone[] = await once(this.#child, 'message')
    assert.ok(done)
    return done
  }

  stop(): void {
    this.#child.kill()
  }
}

/** No proxies, and no rules of whoever runs the test. */
function environment(folder: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name))
  return { ...Object.fromEntries(kept), HOME: folder, LC_ALL: 'C.UTF-8' }
}

function filesOf(folder: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === 'large.bin') continue
    const path = join(entry.parentPath, entry.name)
    const text = readFileSync(path, 'latin1')
    found[path.slice(folder.length + 1)] = entry.name === 'jar' ? cookiesOf(text) : text
  }
  return found
}

/** Each says by a comment which program wrote a file of cookies, and has an order of its own. */
const cookiesOf = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# '))
    .sort()
    .join('\n')

/** Chance is the only thing that may differ without a word. */
const withoutChance = (text: string): string =>
  text
    .replaceAll(/-{24}[0-9a-f]{16}/g, '<boundary>')
    .replaceAll(/(cnonce|response)="[^"]*"/g, '$1="<chance>"')
    .replaceAll(LARGE, '<large>')

/** Says whether the bytes are equal; a difference that nobody has explained, or one that is gone, is an error. */
export async function judge(row: CurlRow, worker?: CurlWorker): Promise<void> {
  const server = await RecordingServer.start(row.isTls === true)
  try {
    const theirs = await runOne(server, row, byProgram('curl'))
    const ours = await runOne(server, row, worker?.run ?? byProgram(process.execPath, MAIN, 'curl'))
    const both = `\ncurl: ${theirs.exit} ${theirs.err}\nmoorage: ${ours.exit} ${ours.err}`
    const [sent, own] = [withoutChance(theirs.recorded), withoutChance(ours.recorded)]
    if (row.explained === undefined) assert.equal(own, sent, `the bytes differ${both}`)
    else {
      assert.notEqual(own, sent, `the difference is gone: ${row.explained.why}`)
      let expected = sent
      for (const [part, other] of row.explained.parts) {
        const wanted = part.replaceAll('{port}', String(server.port))
        assert.ok(
          expected.includes(wanted),
          `curl does not send ${JSON.stringify(wanted)}, but ${JSON.stringify(sent)}`,
        )
        expected = expected.replaceAll(wanted, other.replaceAll('{port}', String(server.port)))
      }
      assert.equal(own, expected, `the bytes differ elsewhere, too${both}`)
    }
    if (row.printsOther === undefined) {
      assert.equal(ours.exit, theirs.exit, `the exit codes differ${both}`)
      assert.equal(withoutChance(ours.out), withoutChance(theirs.out), `stdout differs${both}`)
      assert.deepEqual(ours.files, theirs.files)
    }
  } finally {
    await server.close()
  }
}
