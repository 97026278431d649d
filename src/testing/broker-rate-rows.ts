import assert from 'node:assert/strict'
import { brokerRow, type BrokerContractRow } from './broker-trial.js'
import { within, withCode } from './contract-row.js'

/** Long enough that nothing comes back while a row is tried. */
const HOUR_MS = 3_600_000

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })

export const brokerRateRows: readonly BrokerContractRow[] = [
  brokerRow('a limiter lets a burst through, and says when more may come', async ({ first }) => {
    const limiter = first.limiter('logins', { limit: 3, perMs: HOUR_MS })
    const decisions = []
    for (let i = 0; i < 5; i += 1) decisions.push(await within('a decision', limiter.take('ann')))
    assert.deepEqual(
      decisions.map(({ isAllowed, remaining }) => [isAllowed, remaining]),
      [
        [true, 2],
        [true, 1],
        [true, 0],
        [false, 0],
        [false, 0],
      ],
    )
    const [one, , three, four] = decisions
    assert.deepEqual([one?.retryAfterMs, three?.retryAfterMs], [0, 0])
    const third = HOUR_MS / 3
    for (const [given, expected] of [
      [one?.resetMs, third],
      [three?.resetMs, HOUR_MS],
      [four?.retryAfterMs, third],
      [four?.resetMs, HOUR_MS],
    ] as const)
      assert.ok(given !== undefined && given <= expected && given > expected - 20_000, `${given} of ${expected}`)
  }),
  brokerRow('all brokers count one key together, and each key and each limiter apart', async ({ first, second }) => {
    const rate = { limit: 2, perMs: HOUR_MS }
    const [here, there] = [first.limiter('a', rate), second.limiter('a', rate)]
    const taken = async (limiter: typeof here, key: string): Promise<boolean> => (await limiter.take(key)).isAllowed
    assert.deepEqual(
      [await taken(here, 'k'), await taken(there, 'k'), await taken(here, 'k'), await taken(there, 'k')],
      [true, true, false, false],
    )
    assert.deepEqual([await taken(there, 'another'), await taken(second.limiter('b', rate), 'k')], [true, true])
    assert.deepEqual(
      [await taken(second.limiter('a:k', rate), 'b'), await taken(first.limiter('a', rate), 'k:b')],
      [true, true],
    )
  }),
  brokerRow('of many at once exactly as many are let through as may come', async ({ first, second }) => {
    const rate = { limit: 25, perMs: HOUR_MS }
    const limiters = [first.limiter('crowd', rate), second.limiter('crowd', rate)]
    const decisions = await within(
      'all decisions',
      Promise.all(limiters.flatMap((limiter) => Array.from({ length: 30 }, () => limiter.take('k')))),
    )
    assert.equal(decisions.filter(({ isAllowed }) => isAllowed).length, 25)
  }),
  brokerRow('what was used comes back with time, and no more than the burst', async ({ first, second }) => {
    const rate = { limit: 4, perMs: 400, burst: 2 }
    const limiter = first.limiter('time', rate)
    for (let i = 0; i < 2; i += 1) assert.equal((await limiter.take('k')).isAllowed, true)
    const refused = await second.limiter('time', rate).take('k')
    assert.equal(refused.isAllowed, false)
    await pause(refused.retryAfterMs + 5)
    assert.equal((await limiter.take('k')).isAllowed, true)
    await pause(500)
    const decisions = []
    for (let i = 0; i < 3; i += 1) decisions.push(await limiter.take('k'))
    assert.deepEqual(
      decisions.slice(0, 2).map(({ isAllowed }) => isAllowed),
      [true, true],
    )
  }),
  brokerRow('a cost takes several at once, or nothing', async ({ first }) => {
    const limiter = first.limiter('cost', { limit: 10, perMs: HOUR_MS })
    assert.deepEqual((await limiter.take('k', 7)).remaining, 3)
    const refused = await limiter.take('k', 4)
    assert.deepEqual([refused.isAllowed, refused.remaining], [false, 3])
    assert.ok(refused.retryAfterMs > 0 && refused.retryAfterMs <= HOUR_MS / 10)
    assert.equal((await limiter.take('k', 3)).remaining, 0)
  }),
  brokerRow('a rate, a cost and a key that cannot be are refused', async ({ first }) => {
    const wrong = withCode('ERR_ARGUMENT')
    for (const rate of [
      { limit: 0, perMs: 1 },
      { limit: 1, perMs: 0.5 },
      { limit: 1, perMs: 1, burst: -1 },
    ])
      assert.throws(() => first.limiter('wrong', rate), wrong)
    assert.throws(() => first.limiter('', { limit: 1, perMs: 1 }), withCode('ERR_ROOM_NAME'))
    const limiter = first.limiter('right', { limit: 5, perMs: 1000 })
    for (const cost of [0, 1.5, 6, Number.NaN]) await assert.rejects(limiter.take('k', cost), wrong)
    await assert.rejects(limiter.take('a\nb'), withCode('ERR_ROOM_NAME'))
    await first.close()
    await assert.rejects(limiter.take('k'), withCode('ERR_BROKER_CLOSED'))
  }),
]
