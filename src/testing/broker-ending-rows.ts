import assert from 'node:assert/strict'
import { formatPosition, tryParsePosition } from '../pubsub/position.js'
import { brokerRow, Heard, type BrokerContractRow } from './broker-trial.js'
import { until, within, withCode } from './contract-row.js'

export const brokerEndingRows: readonly BrokerContractRow[] = [
  brokerRow(
    'close makes its members leave and ends its subscriptions; the other broker goes on',
    async ({ first, second }) => {
      const [here, there] = [new Heard(), new Heard()]
      await first.room('end').enter({ id: 'ann' }, { unique: true })
      const left = await first.room('end').enter({ id: 'bob' })
      const subscription = await first.room('end').subscribe(here)
      await second.room('end').subscribe(there)
      assert.deepEqual([first.state, first.metrics.members, first.metrics.subscriptions], ['open', 2, 1])
      await within('close', Promise.all([first.close(), first.close(), first.closed]))
      assert.deepEqual([first.state, first.metrics.members, first.metrics.subscriptions], ['closed', 0, 0])
      assert.deepEqual(
        here.ends.map((error) => error instanceof Error && 'code' in error && error.code),
        ['ERR_BROKER_CLOSED'],
      )
      assert.equal(subscription.closed, true)
      await within('what is over to be closed', Promise.all([subscription.close(), left.leave()]))
      await there.sees('leave bob')
      assert.deepEqual([...there.presences].sort(), ['leave ann', 'leave bob'])
      await second.room('end').publish('on')
      await there.hears('on')
      assert.deepEqual([there.ends, here.texts], [[], []])
      await second.room('end').enter({ id: 'ann' }, { unique: true })
    },
  ),
  brokerRow(
    'a closed broker refuses everything with ERR_BROKER_CLOSED, also when nobody awaits it',
    async ({ first }) => {
      const room = first.room('closed')
      await first.close()
      const closed = withCode('ERR_BROKER_CLOSED')
      void room.publish('nobody awaits this')
      await assert.rejects(room.publish('x'), closed)
      await assert.rejects(room.subscribe(new Heard()), closed)
      await assert.rejects(room.history(), closed)
      await assert.rejects(room.enter({ id: 'ann' }), closed)
      await assert.rejects(room.members(), closed)
      await assert.rejects(first.rooms(), closed)
    },
  ),
  brokerRow('a room keeps its history and its epoch while nobody is there', async ({ first, second }) => {
    const heard = new Heard()
    const subscription = await first.room('empty').subscribe(heard)
    await first.room('empty').publish('1')
    await heard.hears('1')
    const written = formatPosition(subscription.position)
    await subscription.close()
    await second.room('empty').publish('2')
    const from = tryParsePosition(written)
    assert.ok(from !== undefined)
    const again = new Heard()
    await second.room('empty').subscribe(again, { from })
    assert.deepEqual([again.texts, again.gaps], [['2'], []])
  }),
  brokerRow('metrics count what was published and delivered, and what is open', async ({ first, second }) => {
    const heard = new Heard()
    const subscription = await first.room('count').subscribe(heard)
    await first.room('count').subscribe(new Heard())
    await second.room('count').publish('1')
    await first.room('count').publish('2')
    await heard.hears('2')
    await until('the counts', () => first.metrics.delivered === 4)
    const { published, subscriptions, rooms, gaps, failed } = first.metrics
    assert.deepEqual([published, subscriptions, gaps, failed], [1, 2, 0, 0])
    assert.ok(rooms >= 1)
    assert.deepEqual([second.metrics.published, second.metrics.delivered], [1, 0])
    await subscription.close()
    assert.equal(first.metrics.subscriptions, 1)
    assert.notEqual(first.id, second.id)
  }),
]
