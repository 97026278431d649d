import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { filesAt } from '#src/static/files.js'
import type { FilesOptions } from '#src/static/options.js'
import { readAll } from '#src/testing/connection-pair.js'
import { connect } from '#src/transport/connect.js'

/** In the bytes of every file that nobody may get, so often that each part of some length has it. */
const SECRET = 'S3CR3T'
/** In names of files that lie outside: a list of them is a leak too. No request has it. */
const NAME = 'N4ME'
const REQUESTS_AT_ONCE = 8
/** To each server. */
const CONNECTIONS = 4

export interface PathFuzzReport {
  readonly requests: number
  readonly statuses: ReadonlyMap<string, number>
  /** How often a link or a folder was swapped meanwhile. */
  readonly swaps: number
  /** Batches of requests of which one was answered with a secret, or failed. */
  readonly findings: readonly string[]
}

/** The same numbers for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A folder to serve with what is open in it, and secrets around it, under it by hidden names, and behind links. */
function makeTree(): { readonly base: string; readonly root: string } {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'moorage-fuzz-')))
  const root = join(base, 'root')
  const put = (path: string, content: string): void => writeFileSync(join(base, path), content)
  for (const folder of [
    'root',
    'root/sub',
    'root/sub/deep',
    'root/flip',
    'root/.hidden',
    'root2',
    'outside',
    'outside/sub',
  ])
    mkdirSync(join(base, folder))
  const secret = SECRET.repeat(50)
  for (const path of [
    'secret',
    'root2/file',
    'root.txt',
    'root.html',
    'outside/file',
    'outside/file.html',
    'outside/sub/file',
    `outside/${NAME}`,
  ])
    put(path, secret)
  for (const path of ['root/.secret', 'root/.hidden/file', 'root/sub/.env']) put(path, secret)
  for (const path of ['root/file', 'root/flip.txt', 'root/flip/file', 'root/sub/file', 'root/sub/deep/file'])
    put(path, `open ${path} `.repeat(30))
  for (const path of ['root/index.html', 'root/page.html', 'root/sub/index.html']) put(path, `<p>${path}`.repeat(200))
  symlinkSync('../outside', join(root, 'out'))
  symlinkSync('../outside/file', join(root, 'out.txt'))
  symlinkSync(base, join(root, 'up'))
  symlinkSync('/', join(root, 'slash'))
  symlinkSync('file', join(root, 'inner'))
  symlinkSync('sub', join(root, 'inner-folder'))
  return { base, root }
}

/** Runs in a thread of its own, so that it meets the server in the middle of what it does. */
const SWAPPER = `
const { renameSync, symlinkSync, rmSync } = require('node:fs')
const { join } = require('node:path')
const { workerData, parentPort } = require('node:worker_threads')
const { base, state } = workerData
const at = (...names) => join(base, ...names)
const calm = (change) => { try { change() } catch (error) { if (error.code === undefined) throw error } }
let turn = 0
while (Atomics.load(state, 0) === 0) {
  turn += 1
  // A file and a link to a secret take each other's place, at once and with a gap.
  calm(() => { symlinkSync('../outside/file', at('link')); renameSync(at('root/flip.txt'), at('kept')); renameSync(at('link'), at('root/flip.txt')) })
  calm(() => { renameSync(at('kept'), at('root/flip.txt')) })
  // A folder goes outside, and a link to secrets of the same names comes in its place.
  calm(() => { renameSync(at('root/flip'), at('flip-kept')); symlinkSync('../outside', at('root/flip')) })
  calm(() => { rmSync(at('root/flip')); renameSync(at('flip-kept'), at('root/flip')) })
  // Twins, and pages behind pretty addresses, that are links to secrets.
  calm(() => { symlinkSync('../outside/file', at('root/page.html' + ['.br', '.gz', '.zst'][turn % 3])) })
  calm(() => { symlinkSync('../outside/file.html', at('root/about.html')) })
  calm(() => { rmSync(at('root/page.html' + ['.br', '.gz', '.zst'][turn % 3])) })
  calm(() => { rmSync(at('root/about.html')) })
  Atomics.add(state, 1, 1)
  if (turn % 50 === 0) Atomics.wait(state, 0, 0, 1)
}
parentPort.close()
`

const NAMES = [
  ...['file', 'flip', 'flip.txt', 'sub', 'deep', 'inner', 'inner-folder', 'index.html', 'page.html', 'page', 'about'],
  ...['out', 'out.txt', 'up', 'slash', 'root', 'root2', 'root.txt', 'outside', 'secret', '.secret', '.hidden', '.env'],
  ...['..', '..', '..', '.', '', '...', '..;', '..%00', '. .', '~', 'etc', 'passwd', 'proc', 'self', 'fd', 'C:', 'nul'],
  ...['\u{ff0e}\u{ff0e}', '\u{2025}', 'file.html', 'file.gz', 'page.html.br', '.well-known', 'file%00.html', 'FILE'],
]
const SEPARATORS = [
  ...Array.from({ length: 16 }, () => '/'),
  ...['//', '%2f', '%2F', '%252f', '\\', '%5c', '%c0%af', '/./', '/../', '%e0%80%af'],
]
/** What is there, or is there at times, or leads outside. */
const PATHS = [
  ...['/flip.txt', '/flip/file', '/flip/', '/flip/sub/file', '/page.html', '/page', '/about', '/file', '/', '/sub/'],
  ...[
    '/sub/deep/file',
    '/inner',
    '/inner-folder/file',
    '/out.txt',
    '/out/file',
    '/out/sub/file',
    '/out/',
    '/up/secret',
  ],
  ...['/up/', '/slash/etc/passwd', '/../secret', '/sub/../../secret', '/../root2/file', '/.secret', '/.hidden/file'],
]
const FIELDS = [
  ...['', '', '', 'Accept-Encoding: gzip, br, zstd\r\n', 'Accept: text/html\r\n', 'Accept: application/json\r\n'],
  ...['Range: bytes=0-63\r\n', 'Range: bytes=-40\r\n', 'Range: bytes=5-50,60-120\r\n', 'If-None-Match: "x"\r\n'],
]

/** One target, whatever it is. */
function target(random: () => number): string {
  const pick = <T>(list: readonly T[], otherwise: T): T => list[Math.floor(random() * list.length)] ?? otherwise
  const isKnown = random() < 0.5
  let path = isKnown
    ? pick(PATHS, '/').replaceAll(/[^/]+/g, (name) => (random() < 0.8 ? name : disguise(name, random)))
    : ''
  const count = isKnown ? 0 : 1 + Math.floor(random() * 5)
  for (let i = 0; i < count; i += 1) {
    path += i === 0 && random() < 0.9 ? '/' : pick(SEPARATORS, '/')
    path += disguise(pick(NAMES, 'file'), random)
  }
  if (random() < 0.2) path += '/'
  if (random() < 0.1) path += pick(['?a=/../..', '?', '#/../', '?q=N&sort=size', ';a=b'], '')
  if (random() < 0.03) path = `http://a${path}`
  if (random() < 0.05) path = mutate(path, random)
  return path
}

/** The same name in another writing, or nearly. */
function disguise(name: string, random: () => number): string {
  const roll = random()
  const escape = (byte: number): string => `%${byte.toString(16).padStart(2, '0')}`
  const bytes = [...Buffer.from(name)]
  if (roll < 0.6) return name.includes('%') || /^[\x21-\x7e]*$/.test(name) ? name : encodeURIComponent(name)
  if (roll < 0.7) return bytes.map(escape).join('')
  if (roll < 0.75) return bytes.map((byte) => escape(byte).replace('%', '%25')).join('')
  if (roll < 0.85)
    return bytes.map((byte) => (random() < 0.3 ? escape(byte).toUpperCase() : String.fromCharCode(byte))).join('')
  if (roll < 0.9) return bytes.map((byte) => (byte === 0x2e ? '%c0%ae' : escape(byte))).join('')
  if (roll < 0.95) return bytes.map((byte) => (byte === 0x2e ? '%e0%80%ae' : String.fromCharCode(byte))).join('')
  return name.toUpperCase()
}

function mutate(path: string, random: () => number): string {
  const at = Math.floor(random() * path.length)
  const byte = String.fromCharCode(1 + Math.floor(random() * 254))
  return random() < 0.5 ? path.slice(0, at) + byte + path.slice(at + 1) : path.slice(0, at) + byte + path.slice(at)
}

function batch(random: () => number): string {
  let text = ''
  for (let i = 0; i < REQUESTS_AT_ONCE; i += 1) {
    const method = random() < 0.95 ? 'GET' : 'HEAD'
    const fields = FIELDS[Math.floor(random() * FIELDS.length)] ?? ''
    const last = i === REQUESTS_AT_ONCE - 1 ? 'Connection: close\r\n' : ''
    text += `${method} ${target(random)} HTTP/1.1\r\nHost: a\r\n${fields}${last}\r\n`
  }
  return text
}

/** What is served with each: a page for what is missing, short addresses and compression lead to files in other ways. */
const SERVED: readonly FilesOptions[] = [
  { symlinks: 'inside', pretty: true, compress: true },
  { symlinks: 'never', spa: 'index.html' },
]

/**
 * Asks a server for paths made up of what leads outside, until the time is over or enough was asked, while links and
 * folders are swapped under it. Everything is held in memory as soon as it was read.
 */
export async function fuzzPaths(
  until: { readonly seconds: number } | { readonly requests: number },
  seed: number,
  served: readonly FilesOptions[] = SERVED,
): Promise<PathFuzzReport> {
  const { base, root } = makeTree()
  const state = new Int32Array(new SharedArrayBuffer(8))
  const swapper = new Worker(SWAPPER, { eval: true, workerData: { base, state } })
  const swapperEnds = new Promise<void>((resolve, reject) =>
    swapper.once('exit', () => resolve()).once('error', reject),
  )
  const now = (): number => Date.now() + 60_000
  const servers = await Promise.all(
    served.map((options) => serveHttp('http://127.0.0.1:0', filesAt(root, options, now))),
  )
  const statuses = new Map<string, number>()
  const findings: string[] = []
  let requests = 0
  const end = 'seconds' in until ? performance.now() + until.seconds * 1000 : Infinity
  const isOver = (): boolean => ('requests' in until ? requests >= until.requests : performance.now() >= end)
  const ask = async (server: HttpServer, random: () => number): Promise<void> => {
    while (!isOver()) {
      const text = batch(random)
      const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
      await connection.write(Buffer.from(text, 'latin1'))
      const answer = Buffer.from(await readAll(connection)).toString('latin1')
      await connection.close()
      for (const [, status = ''] of answer.matchAll(/^HTTP\/1\.1 (\d+) /gm)) {
        requests += 1
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
      if (answer.includes(SECRET) || answer.includes(NAME) || /^HTTP\/1\.1 5/m.test(answer)) findings.push(text)
    }
  }
  try {
    const clients = servers.flatMap((server, i) =>
      Array.from({ length: CONNECTIONS }, (_, j) => ask(server, numbers(seed + i * CONNECTIONS + j))),
    )
    await Promise.all(clients)
  } finally {
    Atomics.store(state, 0, 1)
    Atomics.notify(state, 0)
    await swapperEnds
    await Promise.all(servers.map((server) => server.close({ graceMs: 1000 })))
    rmSync(base, { recursive: true, force: true })
  }
  return { requests, statuses, swaps: Atomics.load(state, 1), findings }
}
