import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, serve, TcpServer } from 'moorage'

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
