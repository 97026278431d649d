import { suite, test } from 'node:test'
import { openBroker } from '#src/pubsub/open-broker.js'
import { brokerContract, type BrokerFactory } from '#src/testing/broker-contract.js'

let names = 0

const factory: BrokerFactory = {
  open(count, limits) {
    const url = `memory:contract-${(names += 1)}`
    return Promise.all(Array.from({ length: count }, () => openBroker(url, limits)))
  },
}

suite('memory: in one process', () => {
  for (const row of brokerContract) {
    test(row.name, { timeout: 40_000 }, async (t) => {
      const result = await row.run(factory)
      if (result !== undefined) t.skip(result.skipped)
    })
  }
})
