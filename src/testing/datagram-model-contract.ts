import assert from 'node:assert/strict'
import type { HandleRequestOptions, ServerCloseOptions } from '../server/base-server.js'
import type { DatagramMetricsSnapshot } from '../server/datagram-metrics.js'
import type { DatagramServerOptions } from '../server/datagram-server.js'
import type { ShutdownReport } from '../server/outcome.js'
import type { DatagramSocket } from '../transport/datagram-socket.js'
import { CONTRACT_WAIT_MS, until, within, withCode, type ContractRow } from './contract-row.js'
import type { ModelHooks } from './model-contract.js'

/** The part of a datagram server that the contract uses. */
export interface ContractDatagramServer {
  readonly metrics: DatagramMetricsSnapshot
  listen(): Promise<unknown>
  handleRequest(options?: HandleRequestOptions): Promise<boolean>
  close(options?: ServerCloseOptions): Promise<ShutdownReport>
}

export type DatagramModelOptions = Omit<DatagramServerOptions, 'model'>

/** Makes the servers that the contract is tried on: one model, one transport, and the handler of datagrams. */
export interface DatagramModelFactory {
  /** A server that does not listen yet. */
  make(options?: DatagramModelOptions, hooks?: ModelHooks): ContractDatagramServer
  connect(server: ContractDatagramServer): Promise<DatagramSocket>
  /** False where every worker receives by itself: hooks of the server do not concern them. Default: true. */
  readonly acceptsHere?: boolean
}

export type DatagramModelContractRow = ContractRow<DatagramModelFactory>

interface Trial {
  readonly server: ContractDatagramServer
  readonly connect: () => Promise<DatagramSocket>
}

function row(
  name: string,
  body: (trial: Trial) => Promise<void>,
  options?: DatagramModelOptions,
  hooks?: ModelHooks,
): DatagramModelContractRow {
  return {
    name,
    async run(factory) {
      if (hooks !== undefined && factory.acceptsHere === false)
        return { skipped: 'hooks belong to a server that receives' }
      const server = factory.make(options, hooks)
      const made: DatagramSocket[] = []
      const connect = async (): Promise<DatagramSocket> => {
        const socket = await factory.connect(server)
        made.push(socket)
        return socket
      }
      try {
        await body({ server, connect })
      } finally {
        await Promise.all(made.map((socket) => socket.close()))
        await within('the server to close', server.close({ graceMs: 100 }))
      }
      return undefined
    },
  }
}

async function receiveText(socket: DatagramSocket): Promise<string> {
  const datagram = await socket.receive({ timeoutMs: CONTRACT_WAIT_MS })
  if (datagram === null) throw new Error('The socket is closed')
  return new TextDecoder().decode(datagram.data)
}

async function ask(socket: DatagramSocket, question: string): Promise<string> {
  await socket.send(question)
  return receiveText(socket)
}

const seen = { errors: [] as string[], timeouts: 0, services: 0 }
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What every concurrency model does to datagrams. The factory's server must run the handler of datagrams. */
export const datagramModelContract: readonly DatagramModelContractRow[] = [
  row(
    'a conversation in datagrams is the same under every model',
    async ({ server, connect }) => {
      await server.listen()
      const socket = await connect()
      const heard: string[] = []
      for (const said of ['echo one', 'echo', `bytes ${'x'.repeat(1394)}`, 'data', 'calls', 'echo grüße']) {
        heard.push(await ask(socket, said))
      }
      await socket.send('twice said')
      heard.push(await receiveText(socket), await receiveText(socket))
      assert.deepEqual(heard, [
        'one',
        '',
        '1400',
        '{"a":[1,2,3]}',
        'setup 1 handle 1 finish 1',
        'grüße',
        'said 1',
        'said 2',
      ])
      await until('the counts', () => server.metrics.handled === 7)
      assert.equal(server.metrics.failed, 0)
    },
    { data: { a: [1, 2, 3] } },
  ),
  row('datagrams of one peer are handled in their order, those of ten at once', async ({ server, connect }) => {
    await server.listen()
    const peers = await Promise.all(Array.from({ length: 10 }, connect))
    const conversations = peers.map(async (socket, peer) => {
      const asked = Array.from({ length: 40 }, (_, i) => `${(i * 7 + peer) % 4} ${peer} ${i}`)
      const heard: string[] = []
      // A few at a time: what the system drops is no matter of order.
      for (let at = 0; at < asked.length; at += 10) {
        for (const question of asked.slice(at, at + 10)) await socket.send(`turns ${question}`)
        for (let i = 0; i < 10; i += 1) heard.push(await receiveText(socket))
      }
      assert.deepEqual(heard, asked)
    })
    await Promise.all(conversations)
  }),
  row(
    'setup, handle and finish run once each, also when handle throws; handleError hears of it',
    async ({ server, connect }) => {
      seen.errors = []
      await server.listen()
      const socket = await connect()
      assert.equal(await ask(socket, 'throw on purpose'), 'setup 1 handle 1 finish 1')
      assert.equal(await ask(socket, 'echo on'), 'on')
      await until('the hook', () => seen.errors.length === 1)
      assert.deepEqual(seen.errors, ['on purpose'])
      await until('the count', () => server.metrics.failed === 1)
    },
    undefined,
    { handleError: (error) => void seen.errors.push(messageOf(error)) },
  ),
  row(
    'verifyRequest refuses datagrams before a handler sees them',
    async ({ server, connect }) => {
      await server.listen()
      const socket = await connect()
      await socket.send('echo refused')
      assert.equal(await ask(socket, 'echo allowed'), 'allowed')
      assert.equal(server.metrics.refused, 1)
    },
    undefined,
    {
      verifyRequest: (
        (calls) => () =>
          (calls += 1) % 2 === 0
      )(0),
    },
  ),
  row(
    'handleRequest handles exactly one, then tells that none came in time',
    async ({ server, connect }) => {
      seen.timeouts = 0
      const first = server.handleRequest()
      await until('it to listen', () => 'state' in server && server.state === 'listening')
      const socket = await connect()
      await socket.send('echo one')
      await socket.send('echo two')
      assert.equal(await within('the first', first), true)
      assert.equal(await receiveText(socket), 'one')
      assert.equal(server.metrics.handled, 1)
      assert.equal(await within('the second', server.handleRequest()), true)
      assert.equal(await receiveText(socket), 'two')
      assert.equal(await within('the third', server.handleRequest({ timeoutMs: 5 })), false)
      assert.equal(seen.timeouts, 1)
    },
    undefined,
    { handleTimeout: () => void (seen.timeouts += 1) },
  ),
  row(
    'serviceActions is called again and again',
    async ({ server }) => {
      seen.services = 0
      await server.listen()
      await until('the calls', () => seen.services >= 3)
    },
    { serviceIntervalMs: 2 },
    { serviceActions: () => void (seen.services += 1) },
  ),
  row('close handles what was received before it ends', async ({ server, connect }) => {
    await server.listen()
    const socket = await connect()
    await ask(socket, 'echo there')
    for (let i = 0; i < 10; i += 1) await socket.send(`turns 3 ${i}`)
    await until('their coming', () => {
      const { active, queued, handled } = server.metrics
      return active + queued + handled >= 11
    })
    const report = await within('the report', server.close({ graceMs: 10_000 }))
    assert.deepEqual([report.cutCount, report.handlersLeft], [0, 0])
    for (let i = 0; i < 10; i += 1) assert.equal(await receiveText(socket), `3 ${i}`)
  }),
  row('after close handleRequest and listen reject', async ({ server }) => {
    await server.listen()
    await server.close()
    await assert.rejects(server.handleRequest(), withCode('ERR_SERVER_CLOSED'))
    await assert.rejects(server.listen(), withCode('ERR_SERVER_CLOSED'))
  }),
]
