import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, connectDatagram, serve, TcpServer, TimeoutError, UdpServer } from 'moorage'

test('a read that is refused takes nothing from the line that is being read', async () => {
  await using server = await serve('tcp://127.0.0.1:0', async (connection) => {
    await connection.write('hel')
    await connection.readLine()
    await connection.write('lo\nrest')
  })
  const connection = await connect(server.endpoint)
  connection.unread(await connection.readExactly(3))
  const line = connection.readLine()
  await assert.rejects(connection.read(), { code: 'ERR_BUSY_READ' })
  await connection.write('go\n')
  assert.equal(await line, 'hello\n')
  await connection.close()
})

test('close() turns away connections whose verifyRequest never settles', async () => {
  class Undecided extends TcpServer {
    override verifyRequest(): Promise<boolean> {
      return new Promise(() => undefined)
    }
  }
  const server = await new Undecided('tcp://127.0.0.1:0', () => undefined).listen()
  const connection = await connect(server.endpoint)
  while (server.metrics.waiting === 0) await new Promise((resolve) => void setImmediate(resolve))
  assert.equal((await server.close()).turnedAway, 1)
  assert.equal(await connection.read(), null)
  assert.equal(server.metrics.waiting, 0)
  await connection.close()
})

test('a verifyRequest that never settles refuses its connection after handshakeTimeoutMs, and tells handleError', async () => {
  const errors: unknown[] = []
  class Undecided extends TcpServer {
    override verifyRequest(): Promise<boolean> {
      return new Promise(() => undefined)
    }
    override handleError(error: unknown): void {
      errors.push(error)
    }
  }
  const handler = (): void => assert.fail('not to be handled')
  await using server = await new Undecided('tcp://127.0.0.1:0', handler, { handshakeTimeoutMs: 20 }).listen()
  const connection = await connect(server.endpoint)
  assert.equal(await connection.read({ timeoutMs: 5000 }), null)
  const { refused, waiting, active } = server.metrics
  assert.deepEqual([refused.denied, waiting, active], [1, 0, 0])
  assert.equal(errors.length, 1)
  assert.deepEqual(
    errors.map((error) => error instanceof TimeoutError && [error.code, error.fault]),
    [['ERR_HANDSHAKE_TIMEOUT', 'local']],
  )
  await connection.close()
})

test('a verdict that comes after handshakeTimeoutMs changes nothing', async () => {
  const settle: { allow: () => void; fail: (error: Error) => void }[] = []
  const errors: unknown[] = []
  class Slow extends TcpServer {
    override verifyRequest(): Promise<boolean> {
      return new Promise((resolve, reject) => settle.push({ allow: () => resolve(true), fail: reject }))
    }
    override handleError(error: unknown): void {
      errors.push(error)
    }
  }
  await using server = await new Slow('tcp://127.0.0.1:0', () => undefined, { handshakeTimeoutMs: 20 }).listen()
  const connections = await Promise.all([connect(server.endpoint), connect(server.endpoint)])
  for (const connection of connections) assert.equal(await connection.read({ timeoutMs: 5000 }), null)
  settle[0]?.allow()
  settle[1]?.fail(new Error('too late'))
  await new Promise((resolve) => void setImmediate(resolve))
  assert.deepEqual([server.metrics.refused.denied, server.metrics.ended, errors.length], [2, 0, 2])
  for (const connection of connections) await connection.close()
})

test('datagrams that verifyRequest does not decide on are held up to maxQueued, and dropped past it', async () => {
  class Undecided extends UdpServer {
    override verifyRequest(): Promise<boolean> {
      return new Promise(() => undefined)
    }
  }
  await using server = await new Undecided('udp://127.0.0.1:0', () => undefined, { maxQueued: 3 }).listen()
  await using socket = await connectDatagram(server.endpoint)
  for (let i = 0; i < 4; i += 1) await socket.send('undecided')
  while (server.metrics.received < 4) await new Promise((resolve) => void setImmediate(resolve))
  assert.deepEqual([server.metrics.queued, server.metrics.dropped], [3, 1])
})

test('handleRequest resolves when its handler was cut, and the connection is counted as ended', async () => {
  const server = new TcpServer('tcp://127.0.0.1:0', () => new Promise(() => undefined))
  const handling = server.handleRequest()
  while (server.state !== 'listening') await new Promise((resolve) => void setImmediate(resolve))
  const connection = await connect(server.endpoint)
  while (server.metrics.active === 0) await new Promise((resolve) => void setImmediate(resolve))
  const report = await server.close({ graceMs: 50 })
  assert.equal(report.cutCount, 1)
  assert.equal(await handling, true)
  assert.equal(server.metrics.active, 0)
  connection.destroy()
})

test('a handleTimeout that throws rejects its handleRequest, and nothing else', async () => {
  class Impatient extends TcpServer {
    override handleTimeout(): void {
      throw new Error('nobody came')
    }
  }
  const server = new Impatient('tcp://127.0.0.1:0', () => undefined)
  await assert.rejects(server.handleRequest({ timeoutMs: 10 }), /nobody came/)
  await server.close()
})
