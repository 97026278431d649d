// What a busy server does when it is closed, gets other certificates, or loses a worker.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { serveHttp } from '#src/http/server.js'
import { concurrent, processes, threads, type Model } from '#src/server/models/model.js'
import { until, within } from '#src/testing/contract-row.js'
import { localhostCertificate } from '../fixtures/certificates.js'
import { reasonToSkip } from '../fixtures/supported-models.js'

const TIMEOUT = { timeout: 60_000 }
const handler = new URL('../fixtures/counting.js', import.meta.url)
const load = fileURLToPath(new URL('../fixtures/steady-load.js', import.meta.url))
const CONNECTIONS = 50
/** So many are answered before anything happens. */
const BEFORE = 5000
const folder = mkdtempSync(join(tmpdir(), 'moorage-load-'))
let names = 0

const named: readonly { readonly name: string; readonly model: Model }[] = [
  { name: 'concurrent()', model: concurrent() },
  { name: 'threads()', model: threads({ size: 2 }) },
  { name: 'processes()', model: processes({ size: 2 }) },
  { name: "threads({ accept: 'shared' })", model: threads({ size: 2, accept: 'shared' }) },
  { name: "processes({ accept: 'shared' })", model: processes({ size: 2, accept: 'shared' }) },
]
const models = await Promise.all(named.map(async (way) => ({ ...way, skip: await reasonToSkip(way.model) })))

interface Seen {
  readonly answered: number
  /** The connection ended in place of the answer. */
  readonly unanswered: number
  /** It ended in the middle of one. */
  readonly torn: number
  readonly failed: number
}

async function startLoad(port: string): Promise<Seen> {
  const report = new Promise<string>((resolve, reject) => {
    const child = spawn(process.execPath, [load, port, String(CONNECTIONS)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => (out += String(chunk)))
    child.on('error', reject)
    child.on('close', () => resolve(out.split('\n')[1] ?? ''))
  })
  return JSON.parse(await report)
}

/** A file in which each request that was handled leaves a byte. */
function counter(): { readonly path: string; count(): number } {
  const path = join(folder, String((names += 1)))
  writeFileSync(path, '')
  return { path, count: () => statSync(path).size }
}

suite('under load', () => {
  after(() => rmSync(folder, { recursive: true }))

  for (const { name, model, skip } of models) {
    test(`close() answers every request that was read, under ${name}`, { ...TIMEOUT, skip }, async (t) => {
      const handled = counter()
      const server = await serveHttp('http://127.0.0.1:0', handler, { model, data: handled.path })
      const asking = startLoad(new URL(server.endpoint).port)
      const began = performance.now()
      await until('thousands of requests', () => handled.count() >= BEFORE, 40_000)
      const rate = (handled.count() / (performance.now() - began)) * 1000
      const report = await server.close({ graceMs: 10_000 })
      const seen = await within('the clients', asking)
      t.diagnostic(
        `${Math.round(rate)} requests a second; ${seen.unanswered} came when their connection had been ended`,
      )
      assert.equal(seen.answered, handled.count())
      assert.deepEqual([seen.torn, report.cutCount], [0, 0])
      // Those on their way are waited for; only a client that is held up itself misses that.
      assert.ok(seen.unanswered < CONNECTIONS / 2)
    })
  }

  for (const { name, model, skip } of models) {
    test(`certificates are replaced with no failed handshake, under ${name}`, { ...TIMEOUT, skip }, async () => {
      const [{ cert, key }, second] = await Promise.all([localhostCertificate(), localhostCertificate()])
      const credentials = [
        { cert, key },
        { cert: second.cert, key: second.key },
      ] as const
      const handled = counter()
      await using server = await serveHttp('https://127.0.0.1:0', handler, {
        model,
        data: handled.path,
        tls: credentials[0],
      })
      const port = Number(new URL(server.endpoint).port)
      const certificates = new Set<string>()
      const over = new AbortController()
      const client = async (): Promise<number> => {
        let count = 0
        for (; !over.signal.aborted; count += 1) certificates.add(await handshake(port))
        return count
      }
      const clients = Promise.all(Array.from({ length: 8 }, client))
      for (let i = 1; i <= 20; i += 1) {
        const seen = certificates.size
        server.replaceTls(credentials[i % 2] ?? credentials[0])
        // Each is met by some handshakes before the next one comes.
        if (i < 3) await until('the other certificate', () => certificates.size > seen || certificates.size === 2)
        else await new Promise((resolve) => setTimeout(resolve, 10))
      }
      over.abort()
      const counts = await within('the clients', clients)
      assert.equal(certificates.size, 2)
      assert.ok(counts.every((count) => count > 0))
    })
  }

  test('a worker that is killed costs only the requests on its own connections', TIMEOUT, async () => {
    const handled = counter()
    const server = await serveHttp('http://127.0.0.1:0', handler, { model: processes({ size: 2 }), data: handled.path })
    try {
      const { endpoint } = server
      const ask = async (path: string): Promise<string> => (await fetch(endpoint + path)).text()
      // Both have connections, which stay open: asked together they are several.
      const workers = new Set<string>()
      while (workers.size < 2)
        for (const who of await Promise.all(Array.from({ length: 8 }, () => ask('/who')))) workers.add(who)
      const [victim = 0] = [...workers].map((who) => Number(who.split(' ')[1]))
      const asking = startLoad(new URL(endpoint).port)
      await until('thousands of requests', () => handled.count() >= BEFORE, 40_000)
      const before = server.metrics.active
      process.kill(victim, 'SIGKILL')
      await until('the crash', () => server.metrics.workerRestarts === 1)
      const lost = server.metrics.failed
      assert.ok(lost > 0 && lost < before, `${lost} of ${before} connections`)
      const soFar = handled.count()
      await until('thousands more', () => handled.count() >= soFar + BEFORE, 40_000)
      // Whoever comes now is served.
      for (let i = 0; i < 50; i += 1) assert.equal(await ask('/'), 'counted\n')
      await server.close({ graceMs: 10_000 })
      const seen = await within('the clients', asking)
      assert.ok(seen.failed + seen.unanswered <= lost + CONNECTIONS)
      assert.equal(seen.torn, 0)
      assert.equal(server.metrics.failed, lost)
    } finally {
      await server.close({ graceMs: 100 })
    }
  })
})

/** A new connection with a request on it. @returns the fingerprint of the certificate that it met. */
function handshake(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { fingerprint256 } = socket.getPeerCertificate()
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.on('end', () => {
        if (text.endsWith('counted\n')) resolve(fingerprint256)
        else reject(new Error(`not answered: ${text}`))
      })
    })
    socket.on('error', reject)
  })
}
