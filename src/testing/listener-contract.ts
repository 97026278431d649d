import assert from 'node:assert/strict'
import type { Connection } from '../transport/connection.js'
import { parseEndpoint } from '../transport/endpoint.js'
import type { Listener } from '../transport/listener.js'
import { readAllText, readText } from './connection-pair.js'
import { turns, until, within, withCode, type ContractRow } from './contract-row.js'

/** Makes the listeners that the contract is tried on. */
export interface ListenerFactory {
  /** A listener on an address of its own, or on the endpoint of an earlier one. */
  listen(endpoint?: string): Promise<Listener>
  connect(endpoint: string): Promise<Connection>
}

export type ListenerContractRow = ContractRow<ListenerFactory>

const soon = <T>(promise: Promise<T>): Promise<T> => within('a connection, or its end', promise)

function row(
  name: string,
  body: (listener: Listener, connect: () => Promise<Connection>, factory: ListenerFactory) => Promise<void>,
): ListenerContractRow {
  return {
    name,
    async run(factory) {
      const listener = await factory.listen()
      const made: Connection[] = []
      const connect = async (): Promise<Connection> => {
        const connection = await factory.connect(listener.endpoint)
        made.push(connection)
        return connection
      }
      try {
        await body(listener, connect, factory)
      } finally {
        await within('close', listener.close())
        for (const connection of made) connection.destroy()
        await within('the clients to be gone', Promise.all(made.map(({ closed }) => closed)))
      }
    },
  }
}

async function accepted(listener: Listener): Promise<Connection> {
  const connection = await soon(listener.accept())
  if (connection === null) throw new Error('The listener is closed')
  return connection
}

/** What every listener does. Iterate over the rows in the test runner of your choice. */
export const listenerContract: readonly ListenerContractRow[] = [
  row('endpoint and local are the real address, and clients can connect to it', async (listener, connect) => {
    const endpoint = parseEndpoint(listener.endpoint)
    if ('port' in endpoint && listener.local.kind === 'ip') {
      assert.ok(endpoint.port > 0)
      assert.equal(listener.local.port, endpoint.port)
    }
    const [server, client] = await Promise.all([accepted(listener), soon(connect())])
    await client.write('hello')
    assert.equal(await readText(server, 5), 'hello')
    if (client.local.kind === 'ip') {
      assert.deepEqual(server.remote, client.local)
      assert.deepEqual(client.remote, server.local)
    }
    server.destroy()
  }),
  row('connections that came before accept are held, each is given once', async (listener, connect) => {
    const clients = await soon(Promise.all([connect(), connect(), connect()]))
    await Promise.all(clients.map((client, i) => client.write(String(i))))
    const heard: string[] = []
    for (let i = 0; i < clients.length; i += 1) {
      const server = await accepted(listener)
      heard.push(await readText(server, 1))
      await server.write('ok')
      server.destroy()
    }
    assert.deepEqual(heard.sort(), ['0', '1', '2'])
  }),
  row('several accepts can wait, each gets its own connection', async (listener, connect) => {
    const waiting = [accepted(listener), accepted(listener)]
    await soon(Promise.all([connect(), connect()]))
    const [one, other] = await soon(Promise.all(waiting))
    assert.notEqual(one, other)
    one?.destroy()
    other?.destroy()
  }),
  row('iteration yields connections and ends when the listener is closed', async (listener, connect) => {
    await soon(connect())
    let count = 0
    for await (const connection of listener) {
      connection.destroy()
      count += 1
      if (count === 2) void listener.close()
      else await soon(connect())
    }
    assert.equal(count, 2)
  }),
  row('close ends accepts that wait with null, and later ones; it is idempotent', async (listener) => {
    const waiting = listener.accept()
    await soon(Promise.all([listener.close(), listener.close()]))
    assert.equal(await soon(waiting), null)
    assert.equal(await soon(listener.accept()), null)
    await soon(listener.close())
    await soon(Promise.resolve(listener[Symbol.asyncDispose]()))
  }),
  row('after close nobody can connect', async (listener, _connect, factory) => {
    const { endpoint } = listener
    await soon(listener.close())
    await assert.rejects(soon(factory.connect(endpoint)), withCode('ERR_CONNECT'))
  }),
  row('connections that were accepted stay open when the listener is closed', async (listener, connect) => {
    const [server, client] = await soon(Promise.all([accepted(listener), connect()]))
    await soon(listener.close())
    await client.write('still here')
    await client.closeWrite()
    assert.equal(await readAllText(server), 'still here')
    server.destroy()
  }),
  row('connections that nobody took are destroyed when the listener is closed', async (listener, connect) => {
    const client = await soon(connect())
    await client.write('x')
    await turns(5)
    await soon(listener.close())
    await soon(client.read().catch(() => null))
    client.destroy()
  }),
  row('a second listener on the address is refused with ERR_ADDRESS_IN_USE', async (listener, _connect, factory) => {
    await assert.rejects(soon(factory.listen(listener.endpoint)), withCode('ERR_ADDRESS_IN_USE'))
  }),
  row('the address is free again after close', async (listener, connect, factory) => {
    const [server, client] = await soon(Promise.all([accepted(listener), connect()]))
    server.destroy()
    client.destroy()
    await soon(listener.close())
    const again = await soon(factory.listen(listener.endpoint))
    assert.equal(again.endpoint, listener.endpoint)
    await again.close()
  }),
  row('a client that went away before it was accepted is nobody else’s concern', async (listener, connect) => {
    const fleeting = await soon(connect())
    fleeting.destroy()
    await soon(fleeting.closed)
    const staying = await soon(connect())
    await staying.write('here')
    for (;;) {
      const server = await accepted(listener)
      const text = await readText(server, 4).catch(() => undefined)
      server.destroy()
      if (text === 'here') return
    }
  }),
  row('many connect at once, and all are accepted', async (listener, connect) => {
    const count = 100
    const servers: Connection[] = []
    const accepting = (async () => {
      for await (const connection of listener) if (servers.push(connection) === count) return
    })()
    await soon(Promise.all(Array.from({ length: count }, connect)))
    await soon(accepting)
    for (const server of servers) server.destroy()
    await until('all to be gone', () => servers.every(({ signal }) => signal.aborted))
  }),
]
