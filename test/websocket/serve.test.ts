import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { errorCodeOf, MoorageError } from '#src/base/errors.js'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { concurrent, processes, serial, threads, type Model } from '#src/server/models/model.js'
import { within } from '#src/testing/contract-row.js'
import { connectWebSocket, type WebSocketClient } from '#src/websocket/client.js'
import type { WebSocketClientOptions } from '#src/websocket/options.js'
import type { Message } from '#src/websocket/outgoing.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const handler = new URL('../fixtures/websockets.js', import.meta.url)
const TIMEOUT = { timeout: 60_000 }

const MESSAGES: readonly Message[] = [
  '',
  'hello',
  'Grüße, 世界 👋',
  'x'.repeat(125),
  'x'.repeat(126),
  'y'.repeat(65_535),
  'é'.repeat(65_536),
  new Uint8Array(0),
  Uint8Array.from({ length: 300 }, (_, i) => i),
  new Uint8Array(70_000).fill(7),
  new Uint8Array(3 * 1024 * 1024).fill(0x81),
]

async function echoes(socket: WebSocketClient): Promise<void> {
  for (const message of MESSAGES) {
    assert.equal(await socket.send(message), true)
    const back = await within('the echo', socket.receive())
    if (typeof message === 'string') assert.equal(back, message)
    else assert.ok(back instanceof Uint8Array && Buffer.compare(back, message) === 0, `${message.length} bytes`)
  }
}

const models: readonly { readonly name: string; readonly model: Model }[] = [
  { name: 'concurrent()', model: concurrent() },
  { name: 'serial()', model: serial() },
  { name: 'threads()', model: threads({ size: 2 }) },
  { name: 'processes()', model: processes({ size: 2 }) },
  { name: "threads({ accept: 'shared' })", model: threads({ size: 2, accept: 'shared' }) },
  { name: "processes({ accept: 'shared' })", model: processes({ size: 2, accept: 'shared' }) },
]

for (const { name, model } of models) {
  suite(`WebSocket under ${name}`, () => {
    let server: HttpServer
    before(async () => {
      server = await serveHttp('http://127.0.0.1:0', handler, { model })
    })
    after(() => server.close({ graceMs: 1000 }))
    const open = (path: string, options?: WebSocketClientOptions): Promise<WebSocketClient> =>
      connectWebSocket(server.endpoint.replace('http:', 'ws:') + path, options)

    test('messages of every length come back as they were', TIMEOUT, async () => {
      const socket = await open('/echo', { maxMessageBytes: 8 * 1024 * 1024 })
      await echoes(socket)
      assert.deepEqual(await socket.close(), {
        ...{ code: 1000, reason: '', wasClean: true, error: undefined },
        counts: { accepted: MESSAGES.length, delivered: MESSAGES.length, dropped: 0, failed: 0 },
      })
    })

    test('so they do compressed', TIMEOUT, async () => {
      const compression = { thresholdBytes: 0 }
      const socket = await open('/compressed', { maxMessageBytes: 8 * 1024 * 1024, compression })
      await echoes(socket)
      await echoes(socket)
      assert.equal((await socket.close()).wasClean, true)
    })

    test('a handler that iterates answers in order, and its end closes with 1000', TIMEOUT, async () => {
      const socket = await open('/counted')
      let count = 0
      for await (const message of socket) {
        assert.ok(String(message).startsWith(`message ${count} `))
        count += 1
      }
      assert.equal(count, 1000)
      const { code, wasClean } = await socket.closed
      assert.deepEqual([code, wasClean], [1000, true])
    })

    test('the subprotocol is the first of the server’s that the client offers', TIMEOUT, async () => {
      const both = await open('/echo', { protocols: ['chat.v1', 'chat.v2'] })
      assert.equal(both.protocol, 'chat.v2')
      await both.close()
      const none = await open('/echo', { protocols: ['chess'] })
      assert.equal(none.protocol, '')
      await none.close()
    })

    test('a handler that throws closes with 1011', TIMEOUT, async () => {
      const socket = await open('/broken')
      assert.equal((await socket.closed).code, 1011)
    })

    test('what is no WebSocket is told why', TIMEOUT, async () => {
      await assert.rejects(open('/page'), (error: unknown) => {
        assert.equal(errorCodeOf(error), 'ERR_WEBSOCKET_HANDSHAKE')
        return error instanceof MoorageError && error.details['status'] === 200 && error.details['body'] === 'a page\n'
      })
      const url = server.endpoint
      const answer = await fetch(`${url}/echo`)
      assert.deepEqual(
        [answer.status, answer.headers.get('upgrade'), answer.headers.get('sec-websocket-version')],
        [426, 'websocket', '13'],
      )
      assert.equal((await fetch(`${url}/echo`, { method: 'POST', body: 'x' })).status, 405)
      // The connection of the refused is as good as new.
      assert.equal(await (await fetch(`${url}/page`)).text(), 'a page\n')
    })
  })
}

suite('WebSocket over other transports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moorage-websocket-'))
  after(() => rmSync(folder, { recursive: true }))

  test('TLS', TIMEOUT, async () => {
    const { cert, key } = await localhostCertificate()
    await using server = await serveHttp('https://127.0.0.1:0', handler, { tls: { cert, key } })
    const url = server.endpoint.replace('https://127.0.0.1', 'wss://localhost')
    await using socket = await connectWebSocket(`${url}/echo`, { tls: { ca: cert }, maxMessageBytes: 8 * 1024 * 1024 })
    await echoes(socket)
    await assert.rejects(connectWebSocket(`${url}/echo`), (error) => errorCodeOf(error) === 'ERR_TLS_HANDSHAKE')
  })

  test('a Unix socket', TIMEOUT, async () => {
    const path = join(folder, 'web.sock')
    await using _server = await serveHttp(`http+unix:${path}`, handler)
    await using socket = await connectWebSocket('ws://app.example/echo', {
      over: `unix:${path}`,
      maxMessageBytes: 8 * 1024 * 1024,
    })
    await echoes(socket)
  })

  test('memory, which no socket stands behind', TIMEOUT, async () => {
    await using _server = await serveHttp('memory:websocket', handler)
    await using socket = await connectWebSocket('ws://app.example/compressed', {
      ...{ over: 'memory:websocket', maxMessageBytes: 8 * 1024 * 1024, compression: {} },
    })
    await echoes(socket)
  })
})
