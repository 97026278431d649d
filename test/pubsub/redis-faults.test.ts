import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBroker } from '#src/pubsub/open-broker.js'
import { withCode } from '#src/testing/contract-row.js'
import { noRedis, RedisServer } from '../fixtures/redis.js'

test('a full memory refuses what is published, and says so', { skip: noRedis }, async (context) => {
  const redis = await RedisServer.start(context, { more: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] })
  await using broker = await openBroker(redis.url(), { historyBytes: 64 * 1024 * 1024 })
  const large = 'x'.repeat(100_000)
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 100; i += 1) await broker.room('a').publish(large)
  }
  await assert.rejects(fill(), withCode('ERR_BROKER_FULL'))
  assert.equal(broker.state, 'open')
})
