import { test } from 'node:test'
import { openBroker } from '#src/pubsub/open-broker.js'
import { brokerContract } from '#src/testing/broker-contract.js'
import { noRedis, RedisServer } from '../fixtures/redis.js'
import { openAll } from '../fixtures/open-all.js'

test('redis: the contract of brokers', { skip: noRedis }, async (context) => {
  const redis = await RedisServer.start(context)
  let names = 0
  for (const row of brokerContract) {
    await context.test(row.name, { timeout: 40_000 }, async () => {
      await row.run({
        open: (count, limits) => {
          names += 1
          const url = redis.url(`t${names}`)
          return openAll(count, () => openBroker(url, limits))
        },
      })
    })
  }
})
