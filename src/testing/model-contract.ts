import assert from 'node:assert/strict'
import type { HandleRequestOptions, ServerCloseOptions } from '../server/base-server.js'
import type { MetricsSnapshot } from '../server/metrics.js'
import type { ShutdownReport } from '../server/outcome.js'
import type { StreamServerOptions } from '../server/stream-server.js'
import type { Address } from '../transport/address.js'
import type { Connection } from '../transport/connection.js'
import { readAllText, readBytes, readText } from './connection-pair.js'
import { patternBytes, until, within, withCode, type ContractRow } from './contract-row.js'

/** Hooks of a server, as a subclass would override them. */
export interface ModelHooks {
  verifyRequest?(remote: Address): boolean | Promise<boolean>
  handleError?(error: unknown, remote: string): void
  handleTimeout?(): void
  serviceActions?(): void
}

/** The part of a server that the contract uses. */
export interface ContractServer {
  readonly metrics: MetricsSnapshot
  listen(): Promise<unknown>
  handleRequest(options?: HandleRequestOptions): Promise<boolean>
  close(options?: ServerCloseOptions): Promise<ShutdownReport>
}

export type ModelServerOptions = Omit<StreamServerOptions, 'model'>

/** Makes the servers that the contract is tried on: one model, one transport, and the handler of the conversation. */
export interface ModelFactory {
  /** A server that does not listen yet. */
  make(options?: ModelServerOptions, hooks?: ModelHooks): ContractServer
  connect(server: ContractServer): Promise<Connection>
  /** False where every worker accepts by itself: hooks of the server do not concern them. Default: true. */
  readonly acceptsHere?: boolean
}

export type ModelContractRow = ContractRow<ModelFactory>

interface Trial {
  readonly server: ContractServer
  /** A connection that has said its greeting and had the answer. */
  readonly greet: (name?: string) => Promise<Connection>
  readonly connect: () => Promise<Connection>
}

function row(
  name: string,
  body: (trial: Trial) => Promise<void>,
  options?: ModelServerOptions,
  hooks?: ModelHooks,
): ModelContractRow {
  return {
    name,
    async run(factory) {
      if (hooks !== undefined && factory.acceptsHere === false)
        return { skipped: 'hooks belong to a server that accepts' }
      const server = factory.make(options, hooks)
      const made: Connection[] = []
      const connect = async (): Promise<Connection> => {
        const connection = await within('a connection', factory.connect(server))
        made.push(connection)
        return connection
      }
      const greet = async (who = 'you'): Promise<Connection> => {
        const connection = await connect()
        await connection.write(`${who}\n`)
        assert.equal(await line(connection), `hello ${who}\n`)
        return connection
      }
      try {
        await body({ server, greet, connect })
      } finally {
        for (const connection of made) connection.destroy()
        await within('the server to close', server.close({ graceMs: 100 }))
      }
      return undefined
    },
  }
}

const line = (connection: Connection): Promise<string | null> => within('a line', connection.readLine())

async function ask(connection: Connection, question: string): Promise<string | null> {
  await connection.write(`${question}\n`)
  return line(connection)
}

/** What is said by one client, and what it hears, byte for byte, under every model and over every transport. */
const SAID = [
  'you',
  'echo one',
  'echo',
  'echo grüße',
  'nonsense',
  'take 5',
  '12345',
  'echo after',
  'data',
  'big 100000',
]
const alphabet = 'abcdefghijklmnopqrstuvwxyz'
const HEARD = [
  'hello you\none\n\ngrüße\nwhat is nonsense?\n12345what is ?\nafter\n{"a":[1,2,3]}\n',
  alphabet.repeat(Math.ceil(100_000 / alphabet.length)).slice(0, 100_000),
  'end\nsetup 1 handle 1 finish 1\n',
].join('')

const seen: { errors: string[]; timeouts: number; services: number; verified: number } = {
  errors: [],
  timeouts: 0,
  services: 0,
  verified: 0,
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const conversationRows: readonly ModelContractRow[] = [
  row(
    'a conversation is the same, byte for byte, whole or in pieces',
    async ({ server, connect }) => {
      await server.listen()
      for (const pieceBytes of [1000, 3]) {
        const connection = await connect()
        const bytes = Buffer.from(`${SAID.join('\n')}\n`)
        const reading = readAllText(connection)
        for (let at = 0; at < bytes.length; at += pieceBytes)
          await connection.write(bytes.subarray(at, at + pieceBytes))
        await connection.closeWrite()
        assert.equal(await reading, HEARD)
        await within('the end', connection.closed)
      }
      await until('the count', () => server.metrics.ended === 2)
      const { accepted, failed, refusedTotal, bytesRead, bytesWritten, active } = server.metrics
      assert.deepEqual([accepted, failed, refusedTotal, active], [2, 0, 0, 0])
      assert.equal(bytesRead, 2 * Buffer.byteLength(`${SAID.join('\n')}\n`))
      assert.equal(bytesWritten, 2 * Buffer.byteLength(HEARD))
    },
    { data: { a: [1, 2, 3] } },
  ),
  row('thirty clients converse at once, each hears its own', async ({ server, connect }) => {
    await server.listen()
    const conversations = Array.from({ length: 30 }, async (_, i) => {
      const connection = await connect()
      const payload = patternBytes(20_000 + i, i)
      await connection.write(`${i}\ntake ${payload.length}\n`)
      const sending = connection.write(payload).then(() => connection.write(`echo ${i}\n`))
      assert.equal(await readText(connection, `hello ${i}\n`.length), `hello ${i}\n`)
      assert.deepEqual(Buffer.from(await readBytes(connection, payload.length)), Buffer.from(payload))
      await sending
      assert.equal(await line(connection), `${i}\n`)
      await connection.closeWrite()
      assert.equal(await readAllText(connection), 'end\nsetup 1 handle 1 finish 1\n')
    })
    await within('all of them', Promise.all(conversations), 30_000)
  }),
  row('megabytes pass in both directions while neither side waits for the other', async ({ server, greet }) => {
    await server.listen()
    const connection = await greet()
    const payload = patternBytes(3_000_000, 9)
    const sending = connection.write(`take ${payload.length}\n`).then(() => connection.write(payload.slice()))
    const got = await readBytes(connection, payload.length)
    assert.equal(Buffer.compare(got, payload), 0)
    await sending
  }),
  row('addresses are those that the client has', async ({ server, greet }) => {
    await server.listen()
    const connection = await greet()
    const answer: { readonly remote: Address; readonly local: Address } = JSON.parse(
      (await ask(connection, 'addresses')) ?? '',
    )
    if (connection.local.kind === 'ip') {
      assert.deepEqual(answer.remote, connection.local)
      assert.deepEqual(answer.local, connection.remote)
    } else {
      assert.equal(answer.remote.kind, connection.local.kind)
    }
  }),
  row('a client that vanishes in the middle is no concern of the others', async ({ server, greet }) => {
    await server.listen()
    for (let i = 0; i < 5; i += 1) {
      const vanishing = await greet()
      await vanishing.write('take 1000\nonly a part')
      vanishing.destroy()
    }
    assert.equal(await ask(await greet(), 'echo still here'), 'still here\n')
  }),
]

const lifecycleRows: readonly ModelContractRow[] = [
  row(
    'setup, handle and finish run once each, also when handle or setup throws',
    async ({ server, connect, greet }) => {
      await server.listen()
      const leaving = await greet()
      assert.equal(await ask(leaving, 'leave'), 'setup 1 handle 1 finish 1\n')
      const throwing = await greet()
      assert.equal(await ask(throwing, 'throw on purpose'), 'setup 1 handle 1 finish 1\n')
      const unready = await connect()
      assert.equal(await ask(unready, 'throw in setup'), 'setup 1 handle 0 finish 1\n')
      const all = [leaving, throwing, unready]
      for (const connection of all) {
        assert.equal(
          await within(
            'the end',
            connection.read().catch(() => null),
          ),
          null,
        )
        connection.destroy()
      }
      await until('the counts', () => server.metrics.ended === 3)
      assert.equal(server.metrics.failed, 2)
    },
  ),
  row(
    'handleError hears of each handler that throws, and the server goes on, also when the hook throws',
    async ({ server, greet }) => {
      seen.errors = []
      await server.listen()
      for (const [i, what] of ['one', 'two'].entries()) {
        await ask(await greet(), `throw ${what}`)
        // Two workers tell of theirs in whatever order.
        await until('the hook', () => seen.errors.length === i + 1)
      }
      assert.deepEqual(seen.errors, ['one', 'two'])
      assert.equal(await ask(await greet(), 'echo on'), 'on\n')
    },
    undefined,
    {
      handleError(error) {
        seen.errors.push(messageOf(error))
        throw new Error('by the hook')
      },
    },
  ),
  row(
    'verifyRequest decides before anything is read, also with a promise, and one that throws refuses',
    async ({ server, connect, greet }) => {
      seen.verified = 0
      await server.listen()
      await ask(await greet(), 'leave')
      for (let i = 0; i < 2; i += 1) {
        const refused = await connect().catch(() => undefined)
        assert.equal(await within('the end', refused?.read().catch(() => null) ?? Promise.resolve(null)), null)
      }
      assert.equal(await ask(await greet(), 'echo fourth'), 'fourth\n')
      assert.equal(server.metrics.refused.denied, 2)
      assert.equal(seen.verified, 4)
    },
    undefined,
    {
      verifyRequest() {
        seen.verified += 1
        if (seen.verified === 2) throw new Error('by the hook')
        return seen.verified === 3 ? Promise.resolve(false) : true
      },
      handleError: () => undefined,
    },
  ),
  row(
    'handleRequest handles exactly one, then tells that none came in time',
    async ({ server, connect }) => {
      seen.timeouts = 0
      const converse = async (): Promise<string> => {
        const connection = await connect()
        await connection.write('you\nleave\n')
        return readAllText(connection)
      }
      let ended = 0
      const first = server.handleRequest()
      await until('it to listen', () => isListening(server))
      const clients = [converse(), converse()].map((client) => client.finally(() => (ended += 1)))
      assert.equal(await within('the first', first), true)
      await until('its client', () => ended > 0)
      assert.deepEqual([ended, server.metrics.ended], [1, 1])
      assert.equal(await within('the second', server.handleRequest()), true)
      const heard = 'hello you\nsetup 1 handle 1 finish 1\n'
      assert.deepEqual(await within('both clients', Promise.all(clients)), [heard, heard])
      assert.equal(server.metrics.ended, 2)
      assert.equal(await within('the third', server.handleRequest({ timeoutMs: 5 })), false)
      assert.equal(seen.timeouts, 1)
    },
    undefined,
    { handleTimeout: () => void (seen.timeouts += 1) },
  ),
  row(
    'serviceActions is called again and again, and no more after close',
    async ({ server, greet }) => {
      seen.services = 0
      await server.listen()
      await until('the calls', () => seen.services >= 3)
      assert.equal(await ask(await greet(), 'echo x'), 'x\n')
      await server.close({ graceMs: 0 })
      const { services } = seen
      await until('nothing', () => true)
      assert.equal(seen.services, services)
    },
    { serviceIntervalMs: 2 },
    { serviceActions: () => void (seen.services += 1) },
  ),
]

const endingRows: readonly ModelContractRow[] = [
  row('close ends idle connections in order, and answers what was begun', async ({ server, greet }) => {
    await server.listen()
    const begun = await greet()
    // In one piece: who has answered the first has read the beginning of the second.
    await begun.write('echo ready\ntake 4\nab')
    assert.equal(await line(begun), 'ready\n')
    const closing = server.close({ graceMs: 20_000 })
    // In the middle of a count: it is answered, then the end is seen.
    await begun.write('cd')
    assert.equal(await readText(begun, 4), 'abcd')
    assert.equal(await line(begun), 'end\n')
    assert.equal(await line(begun), 'setup 1 handle 1 finish 1\n')
    assert.equal(await within('the end', begun.read()), null)
    begun.destroy()
    const report = await within('the report', closing)
    assert.deepEqual([report.cutCount, report.drained, report.handlersLeft], [0, 1, 0])
  }),
  row('draining aborts in the handler when the server begins to close', async ({ server, greet }) => {
    await server.listen()
    const connection = await greet()
    assert.equal(await ask(connection, 'echo ready\ndrained'), 'ready\n')
    const closing = server.close({ graceMs: 20_000 })
    assert.equal(await line(connection), 'draining\n')
    assert.equal(await line(connection), 'end\n')
    await connection.closeWrite()
    connection.destroy()
    await within('the report', closing)
  }),
  row('close cuts a handler that never ends at its deadline, and reports it', async ({ server, greet }) => {
    await server.listen()
    const connection = await greet()
    assert.equal(await ask(connection, 'echo ready\nforever'), 'ready\n')
    const report = await within('the report', server.close({ graceMs: 50 }), 5000)
    assert.deepEqual([report.cutCount, report.handlersLeft, report.cut.length], [1, 1, 1])
    assert.equal(
      await within(
        'the end',
        connection.read().catch(() => null),
      ),
      null,
    )
  }),
  row('after close nobody can connect, and handleRequest rejects', async ({ server, connect }) => {
    await server.listen()
    await server.close()
    await assert.rejects(connect())
    await assert.rejects(server.handleRequest(), withCode('ERR_SERVER_CLOSED'))
    await assert.rejects(server.listen(), withCode('ERR_SERVER_CLOSED'))
  }),
]

function isListening(server: ContractServer): boolean {
  return 'state' in server && server.state === 'listening'
}

/** What every concurrency model does to connections. The factory's server must run the handler of the conversation. */
export const modelContract: readonly ModelContractRow[] = [...conversationRows, ...lifecycleRows, ...endingRows]
