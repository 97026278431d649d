import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readAll } from '#src/testing/connection-pair.js'
import { patternBytes, turns, until, within, withCode } from '#src/testing/contract-row.js'
import { serveHttp } from 'moorage/http'
import { connectWebSocket, websocket } from 'moorage/websocket'
import { bindDatagram, connect, connectDatagram, request, serve, TcpServer, type Connection } from 'moorage'

/** Each stands in docs/from-python.md under the same name; a fault without a test, or the other way round, fails below. */
const FAULTS: Readonly<Record<string, () => Promise<void>>> = {
  'An option that is set too late': async () => {
    await using first = await serve('tcp://127.0.0.1:0', (connection) => connection.write('hello'))
    const client = await connect(first.endpoint)
    await readAll(client)
    await client.close()
    const { endpoint } = first
    await first.close()
    // At once again on the port, while connections of before are in TIME_WAIT.
    await using again = await new TcpServer(endpoint, () => undefined).listen()
    assert.equal(again.endpoint, endpoint)
    const misspelt: object = { allowReuseAddress: true }
    assert.throws(() => new TcpServer(endpoint, () => undefined, misspelt), withCode('ERR_OPTION_UNKNOWN'))
  },

  'send() may send a part': async () => {
    const bytes = patternBytes(20_000_000)
    let got: Uint8Array | undefined
    await using server = await serve('tcp://127.0.0.1:0', async (connection) => {
      got = await readAll(connection)
    })
    const client = await connect(server.endpoint, { maxWriteBufferBytes: 40_000_000 })
    await client.write(bytes)
    await client.close()
    await until('all of it', () => got !== undefined)
    assert.equal(Buffer.compare(got ?? new Uint8Array(), bytes), 0)
  },

  'A thread for each connection, and five that may wait': async () => {
    await using server = await serve('tcp://127.0.0.1:0', async (connection) => {
      for await (const bytes of connection) await connection.write(bytes)
    })
    const idle = await within(
      '500 clients at once',
      Promise.all(Array.from({ length: 500 }, () => connect(server.endpoint))),
    )
    const last = await connect(server.endpoint)
    await last.write('x')
    assert.equal(String(await within('an answer', last.readExactly(1))), 'x')
    assert.equal(server.metrics.accepted, 501)
    for (const client of [...idle, last]) client.destroy()
  },

  'One idle client stops the server': async () => {
    await using server = await serve('tcp://127.0.0.1:0', (connection) => connection.write('served'))
    const idle = await connect(server.endpoint)
    const second = await connect(server.endpoint)
    assert.equal(Buffer.from(await within('the second', readAll(second))).toString(), 'served')
    idle.destroy()
    await second.close()
  },

  'recv(8192) cuts datagrams in silence': async () => {
    const seen: [number, boolean][] = []
    await using server = await serve(
      'udp://127.0.0.1:0',
      ({ data, truncated }) => void seen.push([data.length, truncated]),
      { maxDatagramBytes: 10_000 },
    )
    const client = await connectDatagram(server.endpoint)
    await client.send(new Uint8Array(10_000))
    await client.send(new Uint8Array(10_001))
    await until('both', () => seen.length === 2)
    assert.deepEqual(seen, [
      [10_000, false],
      [10_000, true],
    ])
    assert.equal(server.metrics.truncated, 1)
    await assert.rejects(client.send(new Uint8Array(70_000)), withCode('ERR_DATAGRAM_SIZE'))
    await client.close()
  },

  'Clients that are never closed': async () => {
    await using server = await serve('tcp://127.0.0.1:0', async (connection) => {
      if ((await connection.readLine()) === 'fail\n') throw new RangeError('asked to')
    })
    for (const word of ['end\n', 'fail\n']) {
      const client = await connect(server.endpoint)
      await client.write(word)
      assert.equal((await within('the end', readAll(client))).length, 0)
      await client.close()
    }
    await until('none is left', () => server.metrics.active === 0)
    {
      await using kept: Connection = await connect(server.endpoint)
      await kept.write('end\n')
    }
    await until('none is left', () => server.metrics.active === 0)
  },

  'UDP is not one-way, and has no timeout': async () => {
    await using server = await serve('udp://127.0.0.1:0', (datagram) => datagram.reply('pong'))
    const { data } = await request(server.endpoint, 'ping')
    assert.equal(String(data), 'pong')
    await using silent = await bindDatagram('udp://127.0.0.1:0')
    assert.ok(silent.local.kind === 'ip')
    const nobody = `udp://127.0.0.1:${silent.local.port}`
    await assert.rejects(request(nobody, 'ping', { timeoutMs: 10, retries: 1 }), withCode('ERR_REQUEST_TIMEOUT'))
  },

  'One recv is not one message': async () => {
    const lines: string[] = []
    await using server = await serve('tcp://127.0.0.1:0', async (connection) => {
      for await (const line of connection.lines({ keepEnd: false })) lines.push(line)
    })
    const client = await connect(server.endpoint)
    for (const piece of ['on', 'e\ntw', 'o\nthree', ' and more\n']) {
      await client.write(piece)
      await turns(5)
    }
    await client.close()
    await until('three lines', () => lines.length === 3)
    assert.deepEqual(lines, ['one', 'two', 'three and more'])
  },

  'Text is not bytes': async () => {
    await using server = await serve('tcp://127.0.0.1:0', async (connection) => {
      for await (const line of connection.lines()) await connection.write(line)
    })
    const client = await connect(server.endpoint)
    const bytes = Buffer.from('grüße 你好 🙂\n')
    // Cut in the middle of each character.
    for (const byte of bytes) await client.write(Uint8Array.of(byte))
    assert.equal(await within('the line', client.readLine()), 'grüße 你好 🙂\n')
    await client.close()
  },

  'A shutdown that waits for itself': async () => {
    const server = await serve('tcp://127.0.0.1:0', (connection) => {
      void server.close()
      return connection.write('bye')
    })
    const client = await connect(server.endpoint)
    assert.equal(Buffer.from(await within('the end', readAll(client))).toString(), 'bye')
    await client.close()
    assert.equal((await within('close', server.close())).cutCount, 0)
  },

  'A WebSocket is no page': async () => {
    await using server = await serveHttp(
      'http://127.0.0.1:0',
      websocket((peer) => void peer.send('here')),
    )
    // What a form sends is told what is missing, and what opens a WebSocket gets one on the same address.
    const answer = await fetch(`${server.endpoint}/?connect=Connect`)
    assert.deepEqual([answer.status, answer.headers.get('upgrade')], [426, 'websocket'])
    assert.match(await answer.text(), /ask with Upgrade: websocket/)
    const socket = await connectWebSocket(server.endpoint)
    assert.equal(await within('the message', socket.receive()), 'here')
    await socket.closed
  },
}

for (const [name, hasIt] of Object.entries(FAULTS)) {
  test(`what the articles get wrong is not so here: ${name}`, { timeout: 60_000 }, hasIt)
}

test('each fault that the document explains has its test, and each test its explanation', () => {
  const path = fileURLToPath(new URL('../../../docs/from-python.md', import.meta.url))
  const [, section = ''] = readFileSync(path, 'utf8').split('## What the articles get wrong\n')
  const explained = [...section.matchAll(/^### (.*)$/gm)].map(([, name]) => name)
  // How files are sent is tested in test/transfer.
  assert.deepEqual(explained, [...Object.keys(FAULTS), 'A file transfer that transfers nothing'])
})
