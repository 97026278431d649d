// What a peer may not do, or not so much of: it is ended with the right code, and nobody else notices.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { deflateRawSync, constants } from 'node:zlib'
import { BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT } from '#src/engine/websocket/frame-header.js'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { until, within } from '#src/testing/contract-row.js'
import { connectWebSocket, type WebSocketClient } from '#src/websocket/client.js'
import { websocket } from '#src/websocket/server.js'
import type { WebSocketReport } from '#src/websocket/link.js'
import { masked, RawClient, whole } from './_raw.js'

const TIMEOUT = { timeout: 60_000 }
const MIB = 1024 * 1024

const bomb = (bytes: number): Uint8Array =>
  deflateRawSync(Buffer.alloc(bytes), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)

interface Row {
  readonly name: string
  readonly frames: readonly Uint8Array[]
  readonly code: number
  readonly error: string
  /** What the handshake asks for. */
  readonly fields?: string
}

const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate\r\n'
const rows: readonly Row[] = [
  {
    name: 'a message over the limit, by its header alone',
    code: 1009,
    error: 'ERR_WEBSOCKET_MESSAGE_LIMIT',
    frames: [whole(BINARY, new Uint8Array(MIB + 1)).subarray(0, 14)],
  },
  {
    name: 'a message over the limit in fragments',
    code: 1009,
    error: 'ERR_WEBSOCKET_MESSAGE_LIMIT',
    frames: [masked(BINARY, new Uint8Array(MIB)), masked(CONTINUATION, 'x')],
  },
  {
    name: 'a flood of fragments',
    code: 1009,
    error: 'ERR_WEBSOCKET_FRAGMENT_LIMIT',
    frames: [masked(TEXT), ...Array.from({ length: 16_384 }, () => masked(CONTINUATION))],
  },
  {
    name: 'a flood of pings',
    code: 1008,
    error: 'ERR_WEBSOCKET_FRAME_RATE',
    frames: Array.from({ length: 101 }, () => whole(PING, 'x')),
  },
  {
    name: 'a flood of pongs',
    code: 1008,
    error: 'ERR_WEBSOCKET_FRAME_RATE',
    frames: Array.from({ length: 101 }, () => whole(PONG)),
  },
  {
    name: 'a frame without a mask',
    code: 1002,
    error: 'ERR_WEBSOCKET_FRAME',
    frames: [Uint8Array.of(FIN | TEXT, 1, 0x41)],
  },
  {
    name: 'text that is not UTF-8',
    code: 1007,
    error: 'ERR_WEBSOCKET_UTF8',
    frames: [whole(TEXT, Uint8Array.of(0xc3, 0x28))],
  },
  {
    name: 'the reason of a close that is not UTF-8',
    code: 1007,
    error: 'ERR_WEBSOCKET_UTF8',
    frames: [whole(CLOSE, Uint8Array.of(3, 232, 0xff))],
  },
  {
    name: 'a close code that may not be sent',
    code: 1002,
    error: 'ERR_WEBSOCKET_CLOSE',
    frames: [whole(CLOSE, Uint8Array.of(3, 237))],
  },
  {
    name: 'compression that was not agreed on',
    code: 1002,
    error: 'ERR_WEBSOCKET_FRAME',
    frames: [masked(FIN | RSV1 | TEXT, 'x')],
  },
  {
    name: 'a compression bomb',
    code: 1009,
    error: 'ERR_WEBSOCKET_MESSAGE_LIMIT',
    fields: DEFLATE,
    frames: [masked(FIN | RSV1 | BINARY, bomb(512 * MIB))],
  },
  {
    name: 'what cannot be inflated',
    code: 1007,
    error: 'ERR_WEBSOCKET_DEFLATE',
    fields: DEFLATE,
    frames: [masked(FIN | RSV1 | BINARY, Uint8Array.of(0xff, 0xff, 0xff))],
  },
  {
    name: 'inflated text that is not UTF-8',
    code: 1007,
    error: 'ERR_WEBSOCKET_UTF8',
    fields: DEFLATE,
    frames: [
      masked(
        FIN | RSV1 | TEXT,
        deflateRawSync(Uint8Array.of(0xff), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
      ),
    ],
  },
]

suite('a peer that goes over a limit', () => {
  let server: HttpServer
  let neighbour: WebSocketClient
  const reports: WebSocketReport[] = []
  before(async () => {
    const service = websocket(
      async (peer) => {
        for await (const message of peer) await peer.send(message)
        reports.push(await peer.closed)
      },
      { compression: {} },
    )
    server = await serveHttp('http://127.0.0.1:0', service)
    neighbour = await connectWebSocket(server.endpoint)
  })
  after(async () => {
    await neighbour.close()
    await server.close({ graceMs: 1000 })
  })

  for (const { name, frames, code, error, fields } of rows) {
    test(`${name}: ${code}`, TIMEOUT, async () => {
      reports.length = 0
      const client = await RawClient.open(server.endpoint, '/', fields)
      assert.match(client.head, /^HTTP\/1\.1 101 /)
      await client.send(...frames)
      assert.equal(await client.closeCode(), code)
      await client.connection.close()
      await until('the handler to hear of it', () => reports.length === 1)
      const [report] = reports
      assert.equal(report?.error !== undefined && 'code' in report.error ? report.error.code : '', error)
      await neighbour.send(name)
      assert.equal(await within('the echo for the neighbour', neighbour.receive()), name)
    })
  }

  test('what is exactly at the limits is taken', TIMEOUT, async () => {
    const client = await RawClient.open(server.endpoint, '/', DEFLATE)
    const fragments = Array.from({ length: 16_383 }, () => masked(CONTINUATION, 'x'))
    await client.send(whole(BINARY, new Uint8Array(MIB)), masked(FIN | RSV1 | BINARY, bomb(MIB)))
    await client.send(masked(TEXT, 'x'), ...fragments.slice(1), masked(FIN | CONTINUATION, 'x'))
    await client.send(...Array.from({ length: 100 }, () => whole(PING, 'x')))
    const frames = []
    for (let i = 0; i < 103; i += 1) frames.push(await within('an answer', client.frame()))
    assert.deepEqual(frames.map((frame) => frame?.payload.length).filter((length) => length !== 1).length, 3)
    await client.send(whole(CLOSE, Uint8Array.of(3, 232)))
    assert.equal(await client.closeCode(), 1000)
    await client.connection.close()
  })
})

suite('origins', () => {
  const asked = async (endpoint: string, fields: string): Promise<string> => {
    const client = await RawClient.open(endpoint, '/', fields)
    client.connection.destroy()
    return client.head.slice(9, 12)
  }
  test('pages of other sites are refused unless they are named', TIMEOUT, async () => {
    await using server = await serveHttp(
      'http://127.0.0.1:0',
      websocket(() => undefined),
    )
    const { endpoint } = server
    assert.equal(await asked(endpoint, ''), '101', 'no browser')
    assert.equal(await asked(endpoint, 'Origin: http://127.0.0.1\r\n'), '101', 'the host that is asked for')
    assert.equal(await asked(endpoint, 'Origin: https://127.0.0.1\r\n'), '101', 'behind a proxy that speaks TLS')
    assert.equal(await asked(endpoint, 'Origin: http://evil.example\r\n'), '403')
    assert.equal(await asked(endpoint, 'Origin: null\r\n'), '403')
    assert.equal(await asked(endpoint, 'Origin: http://127.0.0.1:81\r\n'), '403', 'another port')
    assert.equal(await asked(endpoint, 'Origin: http://127.0.0.1\r\nOrigin: http://evil.example\r\n'), '403')
  })
  test('those that are named may connect, and with any all may', TIMEOUT, async () => {
    const named = websocket(() => undefined, { origins: ['https://app.example'] })
    const open = websocket(() => undefined, { origins: 'any' })
    await using one = await serveHttp('http://127.0.0.1:0', named)
    await using other = await serveHttp('http://127.0.0.1:0', open)
    assert.equal(await asked(one.endpoint, 'Origin: https://app.example\r\n'), '101')
    assert.equal(await asked(one.endpoint, 'Origin: https://evil.example\r\n'), '403')
    assert.equal(await asked(other.endpoint, 'Origin: https://evil.example\r\n'), '101')
  })
})

suite('a peer that is silent', () => {
  test(
    'it is sent pings, and ended when it answers none: the error says for how long it was silent',
    TIMEOUT,
    async () => {
      let report: WebSocketReport | undefined
      const service = websocket(
        async (peer) => {
          report = await peer.closed
        },
        { pingIntervalMs: 50, pongTimeoutMs: 100, closeTimeoutMs: 200 },
      )
      await using server = await serveHttp('http://127.0.0.1:0', service)
      const client = await RawClient.open(server.endpoint, '/')
      const ping = await within('a ping', client.frame())
      assert.equal(ping?.first, FIN | PING)
      assert.equal(await client.closeCode(), 1011)
      await until('the end', () => report !== undefined)
      assert.ok(report?.error !== undefined && 'details' in report.error)
      const { details } = report.error
      assert.ok(typeof details === 'object' && details !== null && 'silent' in details && 'silentMs' in details)
      assert.equal(details.silent, 'client')
      assert.ok(Number(details.silentMs) >= 150)
      client.connection.destroy()
    },
  )

  test('a handler that is busy for long costs no connection', TIMEOUT, async () => {
    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const service = websocket(
      async (peer) => {
        await held
        for await (const message of peer) await peer.send(message)
      },
      { pingIntervalMs: 20, pongTimeoutMs: 40, maxReceivedMessages: 4 },
    )
    await using server = await serveHttp('http://127.0.0.1:0', service)
    const socket = await connectWebSocket(server.endpoint)
    for (let i = 0; i < 100; i += 1) await socket.send(`message ${i}`)
    const began = performance.now()
    // Several times as long as a peer may be silent.
    await until('time to pass', () => performance.now() - began > 400)
    release?.()
    for (let i = 0; i < 100; i += 1) assert.equal(await within('an echo', socket.receive()), `message ${i}`)
    assert.equal((await socket.close()).wasClean, true)
  })

  test('pings of the application are answered, and tell the latency', TIMEOUT, async () => {
    await using server = await serveHttp(
      'http://127.0.0.1:0',
      websocket(async (peer) => void (await peer.receive())),
    )
    const socket = await connectWebSocket(server.endpoint)
    assert.ok((await within('the pong', socket.ping())) >= 0)
    assert.ok((socket.latencyMs ?? -1) >= 0)
    await socket.close()
    await assert.rejects(socket.ping(), { code: 'ERR_CLOSED' })
  })

  test('one that never answers the close is cut when its time is over', TIMEOUT, async () => {
    let report: WebSocketReport | undefined
    const service = websocket(
      async (peer) => {
        report = await peer.close(4000, 'enough')
      },
      { closeTimeoutMs: 100 },
    )
    await using server = await serveHttp('http://127.0.0.1:0', service)
    const client = await RawClient.open(server.endpoint, '/')
    assert.equal(await client.closeCode(), 4000)
    await until('the end', () => report !== undefined)
    assert.deepEqual([report?.code, report?.wasClean], [1006, false])
    assert.equal(report?.error !== undefined && 'code' in report.error ? report.error.code : '', 'ERR_CLOSE_TIMEOUT')
    client.connection.destroy()
  })
})
