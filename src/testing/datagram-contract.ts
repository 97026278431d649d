import assert from 'node:assert/strict'
import type { Address } from '../transport/address.js'
import type { DatagramOptions } from '../transport/datagram-options.js'
import type { Datagram, DatagramSocket } from '../transport/datagram-socket.js'

/** Makes the sockets that the contract is tried on. */
export interface DatagramFactory {
  /** A socket on an address of its own. */
  bind(options?: DatagramOptions): Promise<DatagramSocket>
  connect(to: Address, options?: DatagramOptions): Promise<DatagramSocket>
}

/** One sentence of the contract, and its trial. A run that cannot be made here says why. */
export interface DatagramContractRow {
  readonly name: string
  run(factory: DatagramFactory): Promise<void | { readonly skipped: string }>
}

const WAIT_MS = 5000

const textOf = (datagram: Datagram | null): string | null =>
  datagram === null ? null : new TextDecoder().decode(datagram.data)

const code = (expected: string): object => ({ code: expected })

async function receiveText(socket: DatagramSocket): Promise<string | null> {
  return textOf(await socket.receive({ timeoutMs: WAIT_MS }))
}

/** Waits by turns of the event loop, not by time, until a condition holds. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}`)
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 1)
    })
  }
}

interface Pair {
  readonly server: DatagramSocket
  readonly client: DatagramSocket
}

async function withPair(
  factory: DatagramFactory,
  body: (pair: Pair) => Promise<void>,
  options?: DatagramOptions,
): Promise<void> {
  const server = await factory.bind(options)
  try {
    const client = await factory.connect(server.local)
    try {
      await body({ server, client })
    } finally {
      await client.close()
    }
  } finally {
    await server.close()
  }
}

async function sendAll(client: DatagramSocket, texts: readonly string[]): Promise<void> {
  for (const text of texts) await client.send(text)
}

const row = (name: string, run: DatagramContractRow['run']): DatagramContractRow => ({ name, run })

const exchangeRows: readonly DatagramContractRow[] = [
  row('a datagram comes back from an echo by pull, and its address is the one to answer to', (factory) =>
    withPair(factory, async ({ server, client }) => {
      await client.send('hello')
      const datagram = await server.receive({ timeoutMs: WAIT_MS })
      assert.equal(textOf(datagram), 'hello')
      assert.equal(datagram?.truncated, false)
      assert.deepEqual(datagram?.remote, client.local)
      await server.send('and back', datagram?.remote)
      assert.equal(await receiveText(client), 'and back')
    }),
  ),
  row('a datagram comes back from an echo by a sink, also many at once', (factory) =>
    withPair(factory, async ({ server, client }) => {
      server.sinkTo((data, remote) => void server.send(data, remote))
      const texts = Array.from({ length: 40 }, (_, i) => `number ${i}`)
      await Promise.all(texts.map((text) => client.send(text)))
      const got: (string | null)[] = []
      for (const _ of texts) got.push(await receiveText(client))
      assert.deepEqual(got, texts)
      await until('the counters', () => server.statistics.sent === texts.length)
    }),
  ),
  row('iteration yields each datagram and ends when the socket is closed', (factory) =>
    withPair(factory, async ({ server, client }) => {
      const texts = ['a', 'b', 'c']
      await sendAll(client, texts)
      const got: (string | null)[] = []
      for await (const datagram of server) {
        got.push(textOf(datagram))
        if (got.length === texts.length) void server.close()
      }
      assert.deepEqual(got, texts)
    }),
  ),
  row('datagrams of one peer keep their order', (factory) =>
    withPair(factory, async ({ server, client }) => {
      const texts = Array.from({ length: 150 }, (_, i) => String(i))
      for (let at = 0; at < texts.length; at += 50) {
        await sendAll(client, texts.slice(at, at + 50))
        await until('datagrams', () => server.statistics.received === at + 50)
      }
      for (const text of texts) assert.equal(await receiveText(server), text)
    }),
  ),
  row('a datagram of no bytes arrives as one', (factory) =>
    withPair(factory, async ({ server, client }) => {
      await client.send('')
      await client.send('x')
      assert.equal(await receiveText(server), '')
      assert.equal(await receiveText(server), 'x')
      assert.equal(server.statistics.received, 2)
    }),
  ),
  row('send copies: bytes changed afterwards are not what arrives', (factory) =>
    withPair(factory, async ({ server, client }) => {
      const bytes = new TextEncoder().encode('before')
      const sending = client.send(bytes)
      bytes.fill(0x21)
      await sending
      assert.equal(await receiveText(server), 'before')
    }),
  ),
  row('received bytes are not changed by later datagrams', (factory) =>
    withPair(factory, async ({ server, client }) => {
      await client.send('first')
      const first = await server.receive({ timeoutMs: WAIT_MS })
      await client.send('other')
      await receiveText(server)
      assert.equal(textOf(first), 'first')
    }),
  ),
  row('statistics count datagrams and bytes both ways', (factory) =>
    withPair(factory, async ({ server, client }) => {
      await sendAll(client, ['12345', '123'])
      await until('datagrams', () => server.statistics.received === 2)
      assert.equal(server.statistics.receivedBytes, 8)
      assert.equal(client.statistics.sent, 2)
      assert.equal(client.statistics.sentBytes, 8)
      assert.equal(client.bufferedBytes, 0)
    }),
  ),
]

const limitRows: readonly DatagramContractRow[] = [
  row('a datagram of maxDatagramBytes is whole, one byte more is cut and says so', (factory) =>
    withPair(
      factory,
      async ({ server, client }) => {
        await sendAll(client, ['0123456789', '0123456789+'])
        const whole = await server.receive({ timeoutMs: WAIT_MS })
        const cut = await server.receive({ timeoutMs: WAIT_MS })
        assert.deepEqual([textOf(whole), whole?.truncated], ['0123456789', false])
        assert.deepEqual([textOf(cut), cut?.truncated], ['0123456789', true])
        assert.equal(server.statistics.truncated, 1)
      },
      { maxDatagramBytes: 10 },
    ),
  ),
  row('a datagram of the longest length is sent, one byte more is refused with ERR_DATAGRAM_SIZE', async (factory) => {
    const server = await factory.bind()
    const client = await factory.connect(server.local, { sendQueueBytes: 2000 })
    try {
      await client.send(new Uint8Array(2000))
      assert.equal((await server.receive({ timeoutMs: WAIT_MS }))?.data.length, 2000)
      await assert.rejects(client.send(new Uint8Array(2001)), code('ERR_DATAGRAM_SIZE'))
    } finally {
      await client.close()
      await server.close()
    }
  }),
  row('a full receive queue drops the newest, by count, and counts exactly', (factory) =>
    withPair(
      factory,
      async ({ server, client }) => {
        await sendAll(client, ['1', '2', '3', '4'])
        await until('datagrams', () => server.statistics.received === 4)
        assert.equal(server.statistics.receiveDropped, 0)
        await client.send('5')
        await until('one more', () => server.statistics.received === 5)
        assert.equal(server.statistics.receiveDropped, 1)
        for (const text of ['1', '2', '3', '4']) assert.equal(await receiveText(server), text)
        await client.send('6')
        assert.equal(await receiveText(server), '6')
      },
      { receiveQueueCount: 4 },
    ),
  ),
  row('a full receive queue drops the oldest where it is told to', (factory) =>
    withPair(
      factory,
      async ({ server, client }) => {
        await sendAll(client, ['1', '2', '3', '4', '5', '6'])
        await until('datagrams', () => server.statistics.received === 6)
        assert.equal(server.statistics.receiveDropped, 2)
        for (const text of ['3', '4', '5', '6']) assert.equal(await receiveText(server), text)
      },
      { receiveQueueCount: 4, receiveQueuePolicy: 'drop-oldest' },
    ),
  ),
  row('a full receive queue drops by bytes, and a datagram larger than the whole queue', (factory) =>
    withPair(
      factory,
      async ({ server, client }) => {
        await sendAll(client, ['12345', '67890'])
        await until('datagrams', () => server.statistics.received === 2)
        assert.equal(server.statistics.receiveDropped, 0)
        await client.send('x')
        await until('one more', () => server.statistics.received === 3)
        assert.equal(server.statistics.receiveDropped, 1)
        await client.send('12345678901')
        await until('one too large', () => server.statistics.received === 4)
        assert.equal(server.statistics.receiveDropped, 2)
        assert.equal(await receiveText(server), '12345')
        assert.equal(await receiveText(server), '67890')
      },
      { receiveQueueBytes: 10 },
    ),
  ),
]

const readingRows: readonly DatagramContractRow[] = [
  row('receive gives null when the socket is closed meanwhile, and after', (factory) =>
    withPair(factory, async ({ server }) => {
      const waiting = server.receive()
      await server.close()
      assert.equal(await waiting, null)
      assert.equal(await server.receive(), null)
      assert.equal(server.signal.aborted, true)
      await server.close()
      await server.closed
    }),
  ),
  row('destroy rejects a waiting receive with its reason, untouched', (factory) =>
    withPair(factory, async ({ server }) => {
      const reason = { why: 'a test' }
      const waiting = assert.rejects(server.receive(), (error) => error === reason)
      server.destroy(reason)
      await waiting
      assert.equal(server.signal.reason, reason)
      await server.closed
    }),
  ),
  row('an abort rethrows signal.reason untouched, and loses no datagram', (factory) =>
    withPair(factory, async ({ server, client }) => {
      const reason = new RangeError('mine')
      const isReason = (error: unknown): boolean => error === reason
      await assert.rejects(server.receive({ signal: AbortSignal.abort(reason) }), isReason)
      const controller = new AbortController()
      const waiting = assert.rejects(server.receive({ signal: controller.signal }), isReason)
      controller.abort(reason)
      await waiting
      await client.send('still here')
      assert.equal(await receiveText(server), 'still here')
    }),
  ),
  row('receive rejects with ERR_READ_TIMEOUT when its time is over', (factory) =>
    withPair(factory, async ({ server, client }) => {
      await assert.rejects(server.receive({ timeoutMs: 5 }), code('ERR_READ_TIMEOUT'))
      await client.send('later')
      assert.equal(await receiveText(server), 'later')
    }),
  ),
  row('two receives at once are refused with ERR_BUSY_READ', (factory) =>
    withPair(factory, async ({ server, client }) => {
      const first = server.receive({ timeoutMs: WAIT_MS })
      await assert.rejects(server.receive(), code('ERR_BUSY_READ'))
      await client.send('for the first')
      assert.equal(textOf(await first), 'for the first')
    }),
  ),
  row('a sink and receive exclude each other with ERR_BUSY_SINK', (factory) =>
    withPair(factory, async ({ server, client }) => {
      const waiting = client.receive()
      assert.throws(() => client.sinkTo(() => undefined), code('ERR_BUSY_SINK'))
      server.sinkTo(() => undefined)
      await assert.rejects(server.receive(), code('ERR_BUSY_SINK'))
      assert.throws(() => server.sinkTo(() => undefined), code('ERR_BUSY_SINK'))
      await client.close()
      assert.equal(await waiting, null)
    }),
  ),
  row('a sink is given first what waited in the queue', (factory) =>
    withPair(factory, async ({ server, client }) => {
      await sendAll(client, ['1', '2'])
      await until('datagrams', () => server.statistics.received === 2)
      const got: string[] = []
      server.sinkTo((data) => void got.push(new TextDecoder().decode(data)))
      assert.deepEqual(got, ['1', '2'])
      await client.send('3')
      await until('the third', () => got.length === 3)
    }),
  ),
  row('a sink that throws ends the socket with what it threw', (factory) =>
    withPair(factory, async ({ server, client }) => {
      const thrown = new Error('by the sink')
      server.sinkTo(() => {
        throw thrown
      })
      await client.send('x')
      await server.closed
      assert.equal(server.signal.reason, thrown)
    }),
  ),
  row('a sink may close its socket in the middle of a batch', (factory) =>
    withPair(factory, async ({ server, client }) => {
      let calls = 0
      server.sinkTo(() => {
        calls += 1
        server.destroy()
      })
      await Promise.all(['1', '2', '3'].map((text) => client.send(text)))
      await server.closed
      assert.equal(calls, 1)
    }),
  ),
]

const sendingRows: readonly DatagramContractRow[] = [
  row('send after close rejects with ERR_CLOSED', (factory) =>
    withPair(factory, async ({ client }) => {
      await client.close()
      await assert.rejects(client.send('x'), code('ERR_CLOSED'))
    }),
  ),
  row('send without an address needs a connected socket, and another address than the peer is refused', (factory) =>
    withPair(factory, async ({ server, client }) => {
      assert.deepEqual(client.remote, server.local)
      assert.equal(server.remote, undefined)
      await assert.rejects(server.send('x'), code('ERR_ARGUMENT'))
      await assert.rejects(client.send('x', client.local), code('ERR_ARGUMENT'))
      await client.send('to the peer by name', { ...server.local })
      assert.equal(await receiveText(server), 'to the peer by name')
    }),
  ),
  row('what was queued before close is sent', (factory) =>
    withPair(factory, async ({ server, client }) => {
      const sending = client.send('last words')
      await client.close()
      await sending
      assert.equal(await receiveText(server), 'last words')
    }),
  ),
  row('a connected socket hears that nobody listens, with ERR_DATAGRAM_UNREACHABLE, and goes on', async (factory) => {
    const server = await factory.bind()
    const client = await factory.connect(server.local)
    try {
      await server.close()
      const refusal = async (): Promise<void> => {
        await client.send('anybody?')
        await client.receive({ timeoutMs: WAIT_MS })
      }
      await assert.rejects(refusal(), code('ERR_DATAGRAM_UNREACHABLE'))
      await assert.rejects(refusal(), code('ERR_DATAGRAM_UNREACHABLE'))
      assert.equal(client.signal.aborted, false)
    } finally {
      await client.close()
    }
  }),
]

/** What every datagram socket does. Iterate over the rows in the test runner of your choice. */
export const datagramContract: readonly DatagramContractRow[] = [
  ...exchangeRows,
  ...limitRows,
  ...readingRows,
  ...sendingRows,
]
