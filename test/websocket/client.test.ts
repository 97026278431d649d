import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { errorCodeOf, MoorageError } from '#src/base/errors.js'
import { HttpError, redirect } from '#src/http/response.js'
import { serveHttp } from '#src/http/server.js'
import { serve } from '#src/server/serve.js'
import { until, within } from '#src/testing/contract-row.js'
import { connectWebSocket } from '#src/websocket/client.js'
import { websocket } from '#src/websocket/server.js'
import { TestProxy } from '../fixtures/proxy.js'
import { RawClient, whole } from './_raw.js'

const TIMEOUT = { timeout: 60_000 }
const FAST = { minDelayMs: 1, maxDelayMs: 5 }
const echo = websocket(async (peer) => {
  for await (const message of peer) await peer.send(message)
})

/** A server that answers the handshake with these bytes. */
const answering = (answer: string) =>
  serve('tcp://127.0.0.1:0', async (connection) => {
    await connection.readUntil('\r\n\r\n')
    await connection.write(answer)
  })
const url = (endpoint: string): string => endpoint.replace(/^(?:http|tcp):/, 'ws:')

suite('connectWebSocket', () => {
  test(
    'what is answered in place of a WebSocket is told, with its status and the beginning of its body',
    TIMEOUT,
    async () => {
      await using server = await serveHttp('http://127.0.0.1:0', ({ path }) => {
        if (path === '/away') return redirect('https://elsewhere.example/')
        throw new HttpError(403, 'Nobody may come in')
      })
      const details = async (path: string): Promise<unknown> => {
        const error: unknown = await connectWebSocket(url(server.endpoint) + path).catch((thrown: unknown) => thrown)
        assert.ok(error instanceof MoorageError && error.code === 'ERR_WEBSOCKET_HANDSHAKE')
        return [error.details['status'], error.message]
      }
      assert.deepEqual(await details('/in?token=secret'), [
        403,
        `Cannot open a WebSocket at ${url(server.endpoint)}/in: the server answered 403 Forbidden: Nobody may come in`,
      ])
      assert.match(String(await details('/away')), /look at https:\/\/elsewhere\.example\//)
    },
  )

  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
  for (const [name, answer, code] of [
    [
      'a wrong accept',
      `${SWITCH}Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n`,
      'ERR_WEBSOCKET_HANDSHAKE',
    ],
    ['none at all', `${SWITCH}\r\n`, 'ERR_WEBSOCKET_HANDSHAKE'],
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
      'ERR_HTTP_UNSOLICITED',
    ],
    ['the end', '', 'ERR_UNEXPECTED_END'],
    ['what is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'ERR_HTTP_START_LINE'],
  ] as const)
    test(`an answer with ${name} is refused`, TIMEOUT, async () => {
      await using server = await answering(answer)
      await assert.rejects(connectWebSocket(url(server.endpoint)), (error) => {
        assert.ok([code, 'ERR_HTTP_VERSION'].includes(errorCodeOf(error) ?? ''), String(error))
        return true
      })
    })

  test('an answer that does not come is waited for no longer than openTimeoutMs', TIMEOUT, async () => {
    await using server = await serve('tcp://127.0.0.1:0', async (connection) => {
      for await (const _ of connection);
    })
    await assert.rejects(connectWebSocket(url(server.endpoint), { openTimeoutMs: 50 }), { code: 'ERR_READ_TIMEOUT' })
  })

  test('wrong URLs, options and closes are told, and a close that nobody awaits breaks nothing', TIMEOUT, async () => {
    for (const wrong of ['nowhere', 'ftp://127.0.0.1', 'ws://127.0.0.1/#part'])
      await assert.rejects(connectWebSocket(wrong), { code: 'ERR_ENDPOINT' })
    await assert.rejects(connectWebSocket('ws://127.0.0.1:1', { protocol: ['a'] } as object), {
      code: 'ERR_OPTION_UNKNOWN',
    })
    await using server = await serveHttp('http://127.0.0.1:0', echo)
    const socket = await connectWebSocket(server.endpoint)
    assert.throws(() => socket.send({} as string), { code: 'ERR_ARGUMENT' })
    void socket.close(1004)
    void socket.close(1000, 'x'.repeat(124))
    await assert.rejects(socket.close(999), { code: 'ERR_ARGUMENT' })
    assert.equal((await socket.close(1000, 'é'.repeat(61))).wasClean, true)
  })

  test('a signal ends the attempt, and later the WebSocket', TIMEOUT, async () => {
    await using server = await serveHttp('http://127.0.0.1:0', echo)
    const before = AbortSignal.abort(new Error('not now'))
    await assert.rejects(connectWebSocket(server.endpoint, { signal: before }), /not now/)
    const controller = new AbortController()
    const socket = await connectWebSocket(server.endpoint, { signal: controller.signal, reconnect: FAST })
    controller.abort(new Error('enough'))
    assert.match(String((await within('the end', socket.closed)).error), /enough/)
    assert.equal(socket.state, 'closed')
  })

  for (const scheme of ['http', 'socks5h', 'socks4a'] as const)
    test(`it goes through a proxy: ${scheme}`, TIMEOUT, async () => {
      await using server = await serveHttp('http://127.0.0.1:0', echo)
      await using proxy = await TestProxy.start()
      await using socket = await connectWebSocket(server.endpoint, { proxy: `${scheme}://127.0.0.1:${proxy.port}` })
      await socket.send('through')
      assert.equal(await within('the echo', socket.receive()), 'through')
    })
})

suite('reconnecting', () => {
  test('it does not come back behind 1000, nor when it is refused', TIMEOUT, async () => {
    let doors = 0
    const once = websocket((peer) => void peer.close(1000))
    const lost = websocket((peer) => peer.destroy())
    await using server = await serveHttp('http://127.0.0.1:0', (request, context) => {
      if (request.path === '/once') return once(request, context)
      doors += 1
      if (doors > 3) throw new HttpError(403, 'no more')
      return lost(request, context)
    })
    const first = await connectWebSocket(`${server.endpoint}/once`, { reconnect: FAST })
    assert.equal((await within('the end', first.closed)).code, 1000)
    assert.equal(first.reconnects, 0)
    const second = await connectWebSocket(`${server.endpoint}/lost`, { reconnect: FAST })
    const report = await within('the end', second.closed)
    assert.deepEqual([second.reconnects, errorCodeOf(report.error)], [2, 'ERR_WEBSOCKET_HANDSHAKE'])
    assert.equal(doors, 4)
  })

  test('messages of all connections come in one iteration, and send says whether there is one', TIMEOUT, async () => {
    let connections = 0
    const service = websocket(async (peer) => {
      connections += 1
      await peer.send(`connection ${connections}`)
      if (connections < 4) peer.destroy()
      else for await (const message of peer) await peer.send(message)
    })
    await using server = await serveHttp('http://127.0.0.1:0', service)
    const socket = await connectWebSocket(server.endpoint, { reconnect: FAST })
    const heard: unknown[] = []
    for await (const message of socket) {
      heard.push(message)
      if (message === 'connection 4') assert.equal(await socket.send('last'), true)
      if (message === 'last') break
    }
    assert.equal(heard.at(-1), 'last')
    const closing = socket.close()
    assert.equal(await socket.send('too late'), false)
    assert.equal((await closing).wasClean, true)
  })

  test('it gives up after maxAttempts, and close ends the waiting', TIMEOUT, async () => {
    const name = `memory:${randomUUID()}`
    const server = await serveHttp(name, echo)
    const over = { over: name, openTimeoutMs: 200, connectTimeoutMs: 200 }
    const patient = await connectWebSocket('ws://app.example', {
      ...over,
      reconnect: { minDelayMs: 1e6, maxDelayMs: 1e6 },
    })
    const hasty = await connectWebSocket('ws://app.example', { ...over, reconnect: { ...FAST, maxAttempts: 3 } })
    await server.close()
    assert.equal((await within('the last attempt', hasty.closed)).code, 1001)
    await until('the other to wait', () => patient.state === 'waiting')
    assert.equal((await within('the end', patient.close())).code, 1001)
  })
})

suite('a goodbye', () => {
  test('what a handler answers to the last message goes before the answer to the goodbye', TIMEOUT, async () => {
    const slow = websocket(async (peer) => {
      for await (const message of peer) {
        await new Promise((resolve) => setImmediate(resolve))
        await peer.send(`answer to ${String(message)}`)
      }
    })
    await using server = await serveHttp('http://127.0.0.1:0', slow)
    const client = await RawClient.open(server.endpoint, '/')
    // All of it in one read of the server.
    await client.send(whole(1, 'one'), whole(1, 'two'), whole(8, Uint8Array.of(3, 232)))
    const frames = [await client.frame(), await client.frame(), await client.frame()]
    assert.deepEqual(
      frames.map((frame) => frame?.payload.toString('latin1')),
      ['answer to one', 'answer to two', '\x03\xe8'],
    )
    client.connection.destroy()
  })

  test('a handler that does not read is not waited for', TIMEOUT, async () => {
    const stuck = websocket(
      async (peer) => {
        await peer.receive()
        await peer.closed
      },
      { closeTimeoutMs: 200 },
    )
    await using server = await serveHttp('http://127.0.0.1:0', stuck)
    const socket = await connectWebSocket(server.endpoint)
    await socket.send('hello')
    const { code, wasClean } = await within('the answer', socket.close(4000))
    assert.deepEqual([code, wasClean], [4000, true])
  })
})
