import fc from 'fast-check'
import { test } from 'node:test'
import { MemoryBroker } from '#src/pubsub/memory/memory-broker.js'
import { openBroker } from '#src/pubsub/open-broker.js'
import type { BrokerLimits } from '#src/pubsub/options.js'
import { LinkedPair } from './_linked.js'
import { runSequence, steps } from './_sequences.js'

const limits: fc.Arbitrary<Partial<BrokerLimits>> = fc.record({
  historyMessages: fc.constantFrom(0, 1, 3, 20, 1000),
  historyBytes: fc.constantFrom(600, 3000, 1_000_000),
  maxQueuedMessages: fc.constantFrom(5, 20, 10_000),
  maxQueuedBytes: fc.constantFrom(2000, 10_000, 1_000_000),
})

test('in one process everybody sees every message once, in order, or is told the gap', async () => {
  await fc.assert(
    fc.asyncProperty(steps(1), limits, async (sequence, bounds) => {
      await using broker = new MemoryBroker(bounds)
      await runSequence([broker], sequence, () => undefined)
    }),
    { numRuns: 200 },
  )
})

let names = 0

test('across workers, with channels that stall, everybody sees every message once, in order, or is told the gap', async () => {
  await fc.assert(
    fc.asyncProperty(steps(3), limits, async (sequence, bounds) => {
      const name = `sequence-${(names += 1)}`
      const pairs = [new LinkedPair(), new LinkedPair()]
      const brokers = [
        await openBroker(`memory:${name}`, bounds),
        ...(await Promise.all(pairs.map((pair) => pair.open(name, bounds)))),
      ]
      await runSequence(brokers, sequence, (stalled) => {
        for (const pair of pairs) {
          if (stalled) pair.stalled = true
          else pair.resume()
        }
      })
      await Promise.all(brokers.map((broker) => broker.close()))
    }),
    { numRuns: 200 },
  )
})
