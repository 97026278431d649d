import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as netConnect, createServer, type Socket } from 'node:net'
import { suite, test, type TestContext } from 'node:test'
import { MoorageError, UsageError } from '#src/base/errors.js'
import { serveHttp } from '#src/http/server.js'
import type { HttpFunction } from '#src/http/handlers.js'
import { openBroker } from '#src/pubsub/open-broker.js'
import { until, within } from '#src/testing/contract-row.js'
import { connectWebSocket } from '#src/websocket/client.js'
import { Groups } from '#src/websocket/groups.js'
import { WebSocketHandler } from '#src/websocket/handlers.js'
import { connectRooms } from '#src/websocket/rooms-client.js'
import { ROOMS_PROTOCOL } from '#src/websocket/rooms-protocol.js'
import { roomsHandler } from '#src/websocket/rooms-server.js'
import { websocket } from '#src/websocket/server.js'

async function serving(t: TestContext, handler: HttpFunction): Promise<string> {
  const server = await serveHttp('http://127.0.0.1:0', handler)
  t.after(() => server.close({ graceMs: 0 }))
  return server.endpoint
}

void suite('what comes behind a goodbye', () => {
  void test('whoever closes and goes on iterating gets all that comes before the goodbye of the peer', async (t) => {
    const url = await serving(
      t,
      websocket(async (peer) => {
        for await (const message of peer) await peer.send(message)
      }),
    )
    for (const count of [50, 100, 5000]) {
      const socket = await connectWebSocket(url)
      const got: unknown[] = []
      const reading = (async () => {
        for await (const message of socket) got.push(message)
      })()
      for (let i = 0; i < count; i += 1) await socket.send(String(i))
      const { code, wasClean } = await within('the goodbye', socket.close())
      await reading
      assert.deepEqual([got.length, code, wasClean], [count, 1000, true])
    }
  })

  void test('a close behind which nobody reads is still answered at once', async (t) => {
    const url = await serving(
      t,
      websocket(async (peer) => {
        for (let i = 0; i < 1000; i += 1) await peer.send('much')
        await peer.closed
      }),
    )
    const socket = await connectWebSocket(url, { closeTimeoutMs: 20_000 })
    for await (const _ of socket) break
    const { wasClean } = await within('the goodbye', socket.close())
    assert.equal(wasClean, true)
  })
})

void suite('a handler class', () => {
  void test('gets its messages behind a slow open, and close last, when the client was lost meanwhile', async (t) => {
    const heard: string[] = []
    let goOn = (): void => undefined
    class Slow extends WebSocketHandler {
      override async open(): Promise<void> {
        heard.push('open')
        await new Promise<void>((resolve) => (goOn = resolve))
        heard.push('opened')
      }
      override message(message: unknown): void {
        heard.push(`message ${String(message)}`)
      }
      override close(): void {
        heard.push('close')
      }
    }
    const service = websocket(Slow)
    const socket = await connectWebSocket(await serving(t, service))
    await socket.send('hi')
    await until('it is opened', () => heard.length === 1)
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
    goOn()
    await until('it is closed', () => heard.includes('close'))
    assert.deepEqual(heard, ['open', 'opened', 'message hi', 'close'])
  })
})

void suite('Groups', () => {
  void test('a handle is good for ever: also when its room was empty meanwhile', async (t) => {
    const groups = new Groups(await openBroker('memory:'))
    const kept = groups.group('lobby')
    const url = await serving(
      t,
      websocket(async (peer) => {
        await kept.join(peer)
        await peer.send('in')
        await peer.closed
      }),
    )
    const first = await connectWebSocket(url)
    assert.equal(await first.receive(), 'in')
    await first.close()
    await until('the room is empty', () => kept.peers === 0)
    const second = await connectWebSocket(url)
    assert.equal(await second.receive(), 'in')
    assert.equal(groups.group('lobby').peers, 1)
    await groups.group('lobby').publish('once')
    await groups.group('lobby').publish('more')
    assert.deepEqual([await second.receive(), await second.receive()], ['once', 'more'])
    await second.close()
  })

  void test('history is replayed at the pace of its reader, and what is published meanwhile comes behind it', async (t) => {
    const broker = await openBroker('memory:long', {
      historyMessages: 20_000,
      historyBytes: 512e6,
      maxHistoryBytes: 512e6,
    })
    const groups = new Groups(broker)
    const room = groups.group('long')
    const piece = 'x'.repeat(8192)
    for (let i = 0; i < 6000; i += 1) await room.publish(`${i} ${piece}`)
    const url = await serving(
      t,
      websocket(
        async (peer) => {
          await room.join(peer, { last: 6000 })
          await peer.closed
        },
        { slowReader: 'close' },
      ),
    )
    const socket = await connectWebSocket(url)
    let next = 0
    for await (const message of socket) {
      assert.equal(String(message).split(' ')[0], String(next))
      next += 1
      if (next % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      if (next === 100) for (let i = 6000; i < 11_000; i += 1) await room.publish(`${i} ${piece}`)
      if (next === 11_000) break
    }
    assert.equal(next, 11_000)
    await socket.close()
  })

  void test('a peer that comes and goes is watched once, and one that joins behind its end is out again', async (t) => {
    const groups = new Groups(await openBroker('memory:'))
    let watched = 0
    let ended = (): void => undefined
    const over = new Promise<void>((resolve) => (ended = resolve))
    const url = await serving(
      t,
      websocket(async (peer) => {
        const { closed } = peer
        Object.defineProperty(peer, 'closed', { get: () => ((watched += 1), closed) })
        for (let i = 0; i < 1000; i += 1) {
          await groups.group('door').join(peer)
          groups.group('door').leave(peer)
        }
        await peer.send('done')
        await closed
        await groups.group('late').join(peer)
        ended()
      }),
    )
    const socket = await connectWebSocket(url)
    assert.equal(await socket.receive(), 'done')
    assert.equal(watched, 1)
    await socket.close()
    await over
    await until('it is out', () => groups.group('late').peers === 0)
  })
})

void suite('compression', () => {
  void test('memoryBudgetBytes bounds what peers make a server keep: later ones may refer to nothing', async (t) => {
    const url = await serving(
      t,
      websocket(
        async (peer) => {
          for await (const message of peer) await peer.send(message)
        },
        { compression: { thresholdBytes: 0, memoryBudgetBytes: 100_000 } },
      ),
    )
    const answers: (string | null)[] = []
    for (let i = 0; i < 5; i += 1) {
      const { headers } = await upgradeOnce(t, url)
      answers.push(headers)
    }
    assert.deepEqual(
      answers.map((answer) => answer?.includes('client_no_context_takeover')),
      [false, false, false, true, true],
    )
  })
})

/** The extensions that a server answers with, on a connection that stays. */
async function upgradeOnce(t: TestContext, url: string): Promise<{ readonly headers: string | null }> {
  const { connect } = await import('#src/transport/connect.js')
  const connection = await connect(url.replace('http:', 'tcp:'))
  t.after(() => connection.destroy())
  await connection.write(
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
  )
  const head = Buffer.from(await connection.readUntil('\r\n\r\n')).toString('latin1')
  return { headers: /sec-websocket-extensions: (.*)/i.exec(head)?.[1] ?? null }
}

const run = async (program: string): Promise<{ readonly code: number | null; readonly said: string }> => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: new URL('../../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += String(bytes)))
  const [code] = await once(child, 'exit')
  return { code, said }
}

void suite('listeners that throw', () => {
  void test('of connectRooms: the error is the program’s, and what comes next still comes', async () => {
    const { code, said } = await run(`
      import { serveHttp } from 'moorage/http'
      import { openBroker } from 'moorage/pubsub'
      import { connectRooms, roomsHandler, ROOMS_PROTOCOL, websocket } from 'moorage/websocket'
      process.on('uncaughtException', (error) => console.log('thrown', error.message))
      const server = await serveHttp('http://127.0.0.1:0', websocket(roomsHandler(await openBroker('memory:')), { protocols: [ROOMS_PROTOCOL] }))
      const rooms = await connectRooms(server.endpoint)
      await rooms.follow('a', { message({ data }) { if (data === 'bad') throw new Error('mine'); console.log('got', data) } })
      await rooms.publish('a', 'bad')
      await rooms.publish('a', 'good')
      await rooms.close()
      await server.close()
    `)
    assert.deepEqual([code, said.trim().split('\n')], [0, ['thrown mine', 'got good']])
  })

  void test('of onReconnect: one connection is made, and it stays', async () => {
    const { code, said } = await run(`
      import { serveHttp } from 'moorage/http'
      import { connectWebSocket, websocket } from 'moorage/websocket'
      process.on('uncaughtException', (error) => console.log('thrown', error.message))
      let made = 0
      const peers = new Set()
      const server = await serveHttp('http://127.0.0.1:0', websocket(async (peer) => { made += 1; peers.add(peer); await peer.closed }))
      const socket = await connectWebSocket(server.endpoint, { reconnect: { minDelayMs: 1, maxDelayMs: 2 } })
      socket.onReconnect(() => { throw new Error('mine') })
      for (const peer of peers) peer.destroy()
      await new Promise((resolve) => setTimeout(resolve, 300))
      console.log(made, socket.reconnects)
      await socket.close()
      await server.close()
    `)
    assert.deepEqual([code, said.trim().split('\n')], [0, ['thrown mine', '2 1']])
  })
})

void suite('connectRooms', () => {
  void test('a room that may not be followed behind a lost connection is told as ended, and can be followed again', async (t) => {
    let isAllowed = true
    const Rooms = roomsHandler(await openBroker('memory:'), { authorize: () => isAllowed })
    const behind = new URL(await serving(t, websocket(Rooms, { protocols: [ROOMS_PROTOCOL] })))
    const sockets = new Set<Socket>()
    const relay = createServer((socket) => {
      const other = netConnect(Number(behind.port), '127.0.0.1')
      for (const each of [socket, other]) sockets.add(each.on('error', () => each.destroy()))
      socket.pipe(other).pipe(socket)
    }).listen(0, '127.0.0.1')
    await once(relay, 'listening')
    t.after(() => relay.close())
    const address = relay.address()
    const url = `ws://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/`
    const rooms = await connectRooms(url, { reconnect: { minDelayMs: 1, maxDelayMs: 2 } })
    const ended: Error[] = []
    await rooms.follow('a', { message: () => undefined, ended: (error) => ended.push(error) })
    isAllowed = false
    for (const socket of sockets) socket.destroy()
    await until('it is told', () => ended.length === 1)
    assert.ok(ended[0] instanceof UsageError && ended[0].code === 'ERR_ROOM_REFUSED')
    isAllowed = true
    await rooms.follow('a', { message: () => undefined })
    await rooms.close()
  })
})

void suite('the URL of a WebSocket', () => {
  void test('no error shows what may be secret of it', async () => {
    for (const url of [
      'ws://ann:se/cret@host/x',
      'ws:ann:secret@host/#x',
      'ws://a%zz:secret@host',
      'ws://host:bad/?token=secret',
    ])
      await assert.rejects(connectWebSocket(url), (error) => {
        assert.ok(error instanceof UsageError)
        assert.ok(!/se\/?cret|ann[:@]/.test(`${error.message} ${JSON.stringify(error.details)}`), error.message)
        return true
      })
  })
})

void suite('connectWebSocket to what is no WebSocket server', () => {
  const answering = async (t: TestContext, bytes: string): Promise<string> => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.write(bytes)
      t.after(() => socket.destroy())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    return `ws://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/x`
  }

  for (const [what, bytes] of [
    ['one that greets in another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['one that says nothing', ''],
    ['one that switches to nothing', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ] as const)
    void test(`${what}: the error names the URL`, async (t) => {
      const url = await answering(t, bytes)
      await assert.rejects(
        connectWebSocket(url, { openTimeoutMs: 100 }),
        (error) => error instanceof MoorageError && error.message.includes(url),
      )
    })

  void test('subprotocols that are no tokens, or come twice, are refused here', async () => {
    for (const protocols of [['a b'], [''], ['a', 'a']])
      await assert.rejects(connectWebSocket('ws://127.0.0.1:1/', { protocols }), UsageError)
  })
})

void suite('a room that is used wrongly', () => {
  void test('says what it expects', async () => {
    const room = (await openBroker('memory:')).room('wrong')
    const subscribe: (...given: unknown[]) => Promise<unknown> = room.subscribe.bind(room) as never
    const publish: (...given: unknown[]) => Promise<unknown> = room.publish.bind(room) as never
    const enter: (...given: unknown[]) => Promise<unknown> = room.enter.bind(room) as never
    for (const wrong of [() => undefined, {}, undefined]) await assert.rejects(subscribe(wrong), UsageError)
    for (const wrong of [{}, undefined, 5]) await assert.rejects(publish(wrong), UsageError)
    await assert.rejects(enter(), UsageError)
  })
})
