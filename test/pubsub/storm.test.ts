import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { storm } from '../../torture/room-storm.js'
import { noNats } from '../fixtures/nats.js'
import { noRedis } from '../fixtures/redis.js'

const noHaproxy = existsSync('/usr/sbin/haproxy') ? false : 'haproxy is not installed'

/** A small one of what `npm run torture -- rooms` does. */
for (const [broker, skip] of [
  ['redis', noRedis || noHaproxy],
  ['nats', noNats || noHaproxy],
] as const) {
  test(
    `${broker}: servers are killed and the broker is restarted; all hear the same, in order, each once`,
    { skip, timeout: 120_000 },
    async () => {
      const report = await storm({
        broker,
        nodes: 3,
        clients: 36,
        rooms: 4,
        messages: 6000,
        killEveryMs: 1500,
        brokerRestarts: 1,
      })
      assert.deepEqual(report.faults, [])
      assert.ok(report.kills > 0 && report.restarts === 1, 'there was trouble')
      assert.ok(report.acknowledged > 5000, `${report.acknowledged} were acknowledged`)
      assert.ok(report.delivered + report.missed >= report.acknowledged * 9)
    },
  )
}
