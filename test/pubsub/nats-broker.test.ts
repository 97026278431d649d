import { test } from 'node:test'
import { openBroker } from '#src/pubsub/open-broker.js'
import { brokerContract } from '#src/testing/broker-contract.js'
import { NatsServer, noNats } from '../fixtures/nats.js'
import { openAll } from '../fixtures/open-all.js'

test('nats: the contract of brokers', { skip: noNats }, async (context) => {
  const nats = await NatsServer.start(context)
  let names = 0
  for (const row of brokerContract) {
    await context.test(row.name, { timeout: 40_000 }, async () => {
      await row.run({
        open: (count, limits) => {
          names += 1
          const url = nats.url(`t${names}`)
          return openAll(count, () => openBroker(url, limits))
        },
      })
    })
  }
})
