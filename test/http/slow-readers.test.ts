import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as netConnect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { ensureCertificate } from '#src/cli/certificate.js'
import { HttpResponse, stream, text } from '#src/http/response.js'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import { FakeClock } from '#src/transport/memory/fake-clock.js'
import { MemoryNetwork } from '#src/transport/memory/network.js'

const TIMEOUT = { timeout: 60_000 }
const KIB = 1024
const MIB = 1024 * KIB
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** How much a client gets that reads what has come, a MiB each `everyMs`, until it has so much or is cut. */
async function readSlowly(server: HttpServer, request: string, wanted: number, everyMs: number): Promise<number> {
  const { protocol, port } = new URL(server.endpoint)
  const to = { port: Number(port), host: '127.0.0.1' }
  const socket = protocol === 'https:' ? tlsConnect({ ...to, rejectUnauthorized: false }) : netConnect(to)
  socket.on('error', () => undefined)
  socket.write(request)
  const ended = once(socket, 'close')
  let got = 0
  let room = MIB
  socket.on('data', (bytes: Buffer) => {
    got += bytes.length
    room -= bytes.length
    if (got >= wanted) socket.destroy()
    else if (room <= 0) socket.pause()
  })
  const timer = setInterval(() => {
    room = MIB
    socket.resume()
  }, everyMs)
  try {
    await within('the end of the answer', ended, 45_000)
  } finally {
    clearInterval(timer)
    socket.destroy()
  }
  return got
}

suite('slow readers', () => {
  test(
    'a client that takes a part of equal length now and then is not cut; one that takes none is',
    TIMEOUT,
    async () => {
      const clock = new FakeClock()
      const network = new MemoryNetwork({ bufferBytes: 1 }, clock)
      let isLetGo = false
      const parts = async function* (): AsyncGenerator<Uint8Array> {
        try {
          for (let i = 0; i < 20; i += 1) yield Buffer.alloc(128 * KIB)
        } finally {
          isLetGo = true
        }
      }
      const server = await serveHttp('memory:web', () => stream(parts(), { length: 20 * 128 * KIB }), {
        network,
        writeTimeoutMs: 30_000,
      })
      const client = await connect('memory:web', { network, readHighWaterBytes: 1 })
      await client.write(REQUEST)
      let got = 0
      for (let i = 0; i < 10; i += 1) {
        const reading = client.read()
        await clock.advance(20_000)
        got += (await reading)?.length ?? 0
      }
      assert.equal(isLetGo, false)
      assert.ok(got > 5 * 128 * KIB, `${got} bytes`)
      await clock.advance(31_000)
      assert.equal(isLetGo, true)
      client.destroy()
      const closing = server.close({ graceMs: 0 })
      await clock.advance(1000)
      await closing
    },
  )

  const state = mkdtempSync(join(tmpdir(), 'moorage-slow-'))
  after(() => rmSync(state, { recursive: true, force: true }))
  const body = Buffer.alloc(32 * MIB, 'x')
  const answers = { bytes: () => new HttpResponse(body), text: () => text(body.toString('latin1')) }
  for (const scheme of ['http', 'https']) {
    for (const [kind, answer] of Object.entries(answers)) {
      test(`${kind} in memory, read slowly over ${scheme}, come whole`, TIMEOUT, async () => {
        const { cert, key } = await ensureCertificate(state)
        await using server = await serveHttp(`${scheme}://127.0.0.1:0`, answer, {
          writeTimeoutMs: 400,
          ...(scheme === 'https' ? { tls: { cert, key } } : {}),
        })
        assert.ok((await readSlowly(server, REQUEST, body.length, 40)) >= body.length)
      })
    }
  }

  test(
    'who is sent the end of the connection behind its answer may read for longer than closing may take',
    TIMEOUT,
    async () => {
      await using server = await serveHttp('http://127.0.0.1:0', () => new HttpResponse(body), { writeTimeoutMs: 3000 })
      assert.ok((await readSlowly(server, 'GET / HTTP/1.0\r\n\r\n', Infinity, 230)) > body.length)
    },
  )
})
