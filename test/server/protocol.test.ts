import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'node:test'
import { Protocol, protocolHandler, type ProtocolTransport } from '#src/server/protocol.js'
import { TcpServer } from '#src/server/stream-servers.js'
import { serve } from '#src/server/serve.js'
import { readAll } from '#src/testing/connection-pair.js'
import { patternBytes, turns, until, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'
import { MemoryNetwork } from '#src/transport/memory/network.js'

const ENDPOINT = 'memory:protocol'
/** What `asyncio` promises, with pauses of writing in between. */
const IN_ORDER = /^M([DPR]*)(E[PR]*)?L$/

/** Notes every call; what it does besides comes from the test. */
class Noted extends Protocol {
  calls = ''
  readonly received: Uint8Array[] = []
  error: Error | undefined
  transport: ProtocolTransport | undefined
  depth = 0
  readonly lost: Promise<void>
  #tellLost: () => void = () => undefined
  onMade: () => void = () => undefined
  onData: (data: Uint8Array) => void = () => undefined
  onEnd: () => boolean | void = () => undefined
  onPause: () => void = () => undefined
  onResume: () => void = () => undefined
  onLost: () => void = () => undefined

  constructor() {
    super()
    this.lost = new Promise((resolve) => {
      this.#tellLost = resolve
    })
  }

  /** One call; those that may come within another are the pauses of writing. */
  #note<T>(letter: string, call: () => T): T {
    this.calls += letter
    assert.ok(this.depth === 0 || 'PR'.includes(letter), `${this.calls}: ${letter} within another call`)
    this.depth += 1
    try {
      return call()
    } finally {
      this.depth -= 1
    }
  }

  override connectionMade(transport: ProtocolTransport): void {
    this.transport = transport
    this.#note('M', this.onMade)
  }

  override dataReceived(data: Uint8Array): void {
    this.received.push(data)
    this.#note('D', () => this.onData(data))
  }

  override eofReceived(): boolean | void {
    return this.#note('E', this.onEnd)
  }

  override connectionLost(error: Error | undefined): void {
    this.error = error
    try {
      this.#note('L', this.onLost)
    } finally {
      this.#tellLost()
    }
  }

  override pauseWriting(): void {
    this.#note('P', this.onPause)
  }

  override resumeWriting(): void {
    this.#note('R', this.onResume)
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received)
  }
}

/** A server in memory with one protocol, and a client of it. */
async function trial(
  prepare: (protocol: Noted) => void,
  body: (protocol: Noted, client: Connection, errors: unknown[]) => Promise<void>,
  network: MemoryNetwork = new MemoryNetwork(),
): Promise<Noted> {
  const protocol = new Noted()
  prepare(protocol)
  const errors: unknown[] = []
  const warn = (_message: string, fields?: { readonly error?: unknown }): void => void errors.push(fields?.error)
  const logger = { debug: warn, info: warn, warn, error: warn }
  const handler = protocolHandler(() => protocol)
  const server = await serve(ENDPOINT, handler, { network, logger, lingerMs: 50 })
  const client = await connect(ENDPOINT, { network })
  try {
    await within(
      'the connection to be made',
      until('connectionMade', () => protocol.calls !== ''),
    )
    await body(protocol, client, errors)
  } finally {
    client.destroy()
    await within('the server to close', server.close({ graceMs: 100 }))
  }
  await within('connectionLost', protocol.lost)
  assert.match(protocol.calls, IN_ORDER)
  return protocol
}

const CALLS = ['M', 'D', 'E', 'P', 'R', 'L'] as const

test('Protocol is called in the order CM [DR*] [ER?] CL, however the stream is cut, paused and broken', async () => {
  const plan = fc.record({
    seed: fc.nat(0xffff_ffff),
    maxChunkBytes: fc.constantFrom(1, 7, 1000, Infinity),
    resetRate: fc.constantFrom(0, 0, 0.05, 0.3),
    writes: fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 8 }),
    ending: fc.constantFrom('half-close', 'destroy', 'server closes', 'close in data', 'abort in data'),
    pauses: fc.boolean(),
    echoes: fc.boolean(),
    keepsOpen: fc.boolean(),
    throwsIn: fc.constantFrom(undefined, undefined, undefined, ...CALLS),
  })
  await fc.assert(
    fc.asyncProperty(plan, async (given) => {
      const { seed, maxChunkBytes, resetRate, writes, ending, pauses, echoes, keepsOpen, throwsIn } = given
      const network = new MemoryNetwork({ seed, maxChunkBytes, resetRate })
      const fail = (letter: string): void => {
        if (throwsIn === letter) throw new RangeError(`asked to fail in ${letter}`)
      }
      const sent = patternBytes(
        writes.reduce((sum, length) => sum + length, 0),
        seed,
      )
      const protocol = await trial(
        (made) => {
          made.onMade = () => fail('M')
          made.onData = (data) => {
            fail('D')
            if (echoes) made.transport?.write(data)
            if (ending === 'close in data') made.transport?.close()
            if (ending === 'abort in data') made.transport?.abort()
            if (!pauses) return
            made.transport?.pauseReading()
            setImmediate(() => made.transport?.resumeReading())
          }
          made.onEnd = () => {
            fail('E')
            if (keepsOpen) setImmediate(() => made.transport?.close())
            return keepsOpen
          }
          made.onPause = () => fail('P')
          made.onResume = () => fail('R')
          made.onLost = () => fail('L')
        },
        async (made, client) => {
          const echo = readAll(client).catch(() => undefined)
          let at = 0
          for (const length of writes) {
            await within(
              'a write',
              client.write(sent.subarray(at, at + length)).catch(() => undefined),
            )
            at += length
          }
          if (ending === 'half-close') {
            await within('the half-close', client.closeWrite())
            await within('the end', made.lost)
          } else if (ending === 'destroy') {
            client.destroy()
            await within('the end', made.lost)
          }
          if (ending !== 'half-close') client.destroy()
          await within('the echo', echo)
        },
        network,
      )
      const { bytes, calls, error } = protocol
      assert.deepEqual(bytes, Buffer.from(sent.subarray(0, bytes.length)), 'in order, nothing twice')
      if (ending === 'half-close' && error === undefined && resetRate === 0) {
        assert.equal(bytes.length, sent.length, 'all of it')
        assert.ok(calls.includes('E'))
      }
    }),
    { numRuns: 150, endOnFailure: true },
  )
})

test('Protocol.dataReceived and eofReceived are not called after transport.close', async () => {
  const protocol = await trial(
    (made) => {
      made.onData = () => made.transport?.close()
    },
    async (made, client) => {
      await client.write('one')
      await within('the end that close sends', readAll(client))
      await client.write('two')
      await client.closeWrite()
      await made.lost
    },
  )
  assert.equal(protocol.calls, 'MDL')
  assert.equal(String(protocol.bytes), 'one')
  assert.equal(protocol.error, undefined)
})

test('ProtocolTransport.pauseReading in connectionMade holds what comes until resumeReading', async () => {
  const protocol = await trial(
    (made) => {
      made.onMade = () => made.transport?.pauseReading()
    },
    async (made, client) => {
      await client.write('early')
      await client.closeWrite()
      await turns(10)
      assert.equal(made.calls, 'M')
      made.transport?.resumeReading()
      await within('the end', made.lost)
    },
  )
  assert.equal(protocol.calls, 'MDEL')
  assert.equal(String(protocol.bytes), 'early')
})

test('Protocol.eofReceived that returns true keeps the connection open for writing', async () => {
  await trial(
    (made) => {
      made.onEnd = () => true
    },
    async (made, client) => {
      await client.closeWrite()
      await until('eofReceived', () => made.calls === 'ME')
      await turns(10)
      assert.equal(made.calls, 'ME')
      made.transport?.write('still here')
      made.transport?.close()
      assert.equal(Buffer.from(await within('what is written after', readAll(client))).toString(), 'still here')
      await within('the end', made.lost)
      assert.equal(made.error, undefined)
    },
  )
})

test('ProtocolTransport.write calls pauseWriting strictly above the high mark, once, and resumeWriting at or below the low one', async () => {
  const highBytes = 200_000
  await trial(
    (made) => {
      made.onMade = () => made.transport?.setWriteBufferLimits({ highBytes, lowBytes: 1000 })
      made.onPause = () => assert.ok((made.transport?.bufferedBytes ?? 0) > highBytes)
      made.onResume = () => assert.ok((made.transport?.bufferedBytes ?? Infinity) <= 1000)
    },
    async (made, client) => {
      const { transport } = made
      assert.ok(transport !== undefined)
      // Nobody reads: what the network holds has left the buffer, the rest stays in it.
      transport.write(new Uint8Array(100_000))
      await turns(20)
      transport.write(new Uint8Array(highBytes - transport.bufferedBytes))
      assert.equal(transport.bufferedBytes, highBytes)
      assert.equal(made.calls, 'M', 'at the mark it is not paused')
      transport.write(new Uint8Array(1))
      assert.equal(made.calls, 'MP', 'one past it is')
      transport.write(new Uint8Array(1))
      assert.equal(made.calls, 'MP', 'once')
      void readAll(client).catch(() => undefined)
      await until('resumeWriting', () => made.calls === 'MPR')
    },
  )
})

for (const [highBytes, lowBytes] of [
  [0, 0],
  [100, 100],
  [1000, 999],
  [20_000, 5000],
] as const) {
  test(`ProtocolTransport follows marks below those of its connection: ${highBytes} and ${lowBytes}`, async () => {
    // Byte by byte to the peer, so that every fill of the buffer is passed.
    const network = new MemoryNetwork({ bufferBytes: 1 })
    const seen: [letter: string, bufferedBytes: number][] = []
    await trial(
      (made) => {
        const see = (letter: string): void => void seen.push([letter, made.transport?.bufferedBytes ?? -1])
        made.onMade = () => made.transport?.setWriteBufferLimits({ highBytes, lowBytes })
        made.onPause = () => see('P')
        made.onResume = () => see('R')
      },
      async (made, client) => {
        made.transport?.write(new Uint8Array(highBytes))
        assert.deepEqual(seen, [], 'at the mark it is not paused')
        made.transport?.write(new Uint8Array(1))
        assert.deepEqual(seen, [['P', highBytes + 1]], 'one past it is')
        await within('what was written', client.readExactly(highBytes + 1))
        await until('resumeWriting', () => seen.length > 1)
        const [, [letter, bytes] = ['', -1]] = seen
        assert.equal(letter, 'R')
        assert.ok(bytes <= lowBytes && (lowBytes === 0 || bytes > 0), `resumed at ${bytes}`)
        assert.equal(seen.length, 2)
      },
      network,
    )
  })
}

test('ProtocolTransport over TCP pauses and resumes by marks that the connection never reaches', async () => {
  const made = new Noted()
  made.onMade = () => made.transport?.setWriteBufferLimits({ highBytes: 1000, lowBytes: 500 })
  made.onResume = () => assert.ok((made.transport?.bufferedBytes ?? Infinity) <= 500)
  await using server = await serve(
    'tcp://127.0.0.1:0',
    protocolHandler(() => made),
    { writeHighWaterBytes: 64 * 1024 * 1024, maxWriteBufferBytes: 64 * 1024 * 1024 },
  )
  const client = await connect(server.endpoint)
  await until('connectionMade', () => made.calls !== '')
  let written = 0
  while (made.calls === 'M') {
    made.transport?.write(new Uint8Array(600))
    written += 600
    // What the system takes has left the buffer.
    if (written % 60_000 === 0) await turns(1)
  }
  assert.equal(made.calls, 'MP')
  await within('what was written', client.readExactly(written))
  await until('resumeWriting', () => made.calls === 'MPR')
  client.destroy()
  await within('connectionLost', made.lost)
})

for (const letter of ['M', 'D', 'E', 'L']) {
  test(`an exception in a protocol (${letter}) ends its connection alone, and reaches handleError`, async () => {
    const errors: unknown[] = []
    class Heard extends TcpServer {
      override handleError(error: unknown): void {
        errors.push(error)
      }
    }
    const failure = new RangeError('asked to')
    const fail = (): never => {
      throw failure
    }
    const protocols: Noted[] = []
    const handler = protocolHandler(() => {
      const made = new Noted()
      made.onData = (data) => made.transport?.write(data)
      if (protocols.push(made) === 2) {
        if (letter === 'M') made.onMade = fail
        if (letter === 'D') made.onData = fail
        if (letter === 'E') made.onEnd = fail
        if (letter === 'L') made.onLost = fail
      }
      return made
    })
    await using server = await new Heard('tcp://127.0.0.1:0', handler, { lingerMs: 100 }).listen()
    const other = await connect(server.endpoint)
    await other.write('a')
    await other.readExactly(1)
    const client = await connect(server.endpoint)
    await client.write('b').catch(() => undefined)
    await client.closeWrite()
    await within(
      'its end',
      readAll(client).catch(() => undefined),
    )
    await until('handleError', () => errors.length > 0)
    assert.deepEqual(errors, [failure])
    assert.match(protocols[1]?.calls ?? '', IN_ORDER)
    await other.write('c')
    assert.equal(String(await within('an answer', other.readExactly(1))), 'c')
    await other.close()
  })
}

test('ProtocolTransport.close sends what is buffered first, and abort drops it', async () => {
  const bytes = patternBytes(1_000_000)
  for (const [verb, isWhole] of [
    ['close', true],
    ['abort', false],
  ] as const) {
    await trial(
      () => undefined,
      async (made, client) => {
        made.transport?.write(bytes)
        made.transport?.[verb]()
        const got = await within(
          verb,
          readAll(client).catch(() => new Uint8Array()),
        )
        await client.close()
        await within('connectionLost', made.lost)
        assert.equal(made.error, undefined)
        assert.equal(made.calls.replaceAll(/[PR]/g, ''), 'ML')
        if (isWhole) assert.deepEqual(Buffer.from(got), Buffer.from(bytes))
        else assert.ok(got.length < bytes.length)
      },
    )
  }
})

test('Protocol hears nothing after connectionLost, also when it goes on writing', async () => {
  const protocol = await trial(
    (made) => {
      made.onLost = () => {
        made.transport?.write('too late')
        made.transport?.resumeReading()
        made.transport?.close()
      }
    },
    async (made, client) => {
      // Paused for writing when it ends.
      made.transport?.write(new Uint8Array(1_000_000))
      client.destroy()
      await within('the end', made.lost)
      made.transport?.write('later still')
      await turns(10)
    },
  )
  assert.ok(protocol.calls.endsWith('L'))
})

test('a server that closes ends its protocols, with what they have written', async () => {
  const handler = protocolHandler(() => {
    const made = new Noted()
    made.onMade = () => made.transport?.write('hello')
    return made
  })
  const server = await serve('tcp://127.0.0.1:0', handler)
  const client = await connect(server.endpoint)
  await client.readExactly(5)
  const reading = readAll(client)
  const closing = server.close({ graceMs: 5000 })
  assert.equal((await within('the end', reading)).length, 0)
  await client.close()
  const { cutCount } = await within('close', closing)
  assert.equal(cutCount, 0)
})
