import assert from 'node:assert/strict'
import { brokerRow, Heard, type BrokerContractRow } from './broker-trial.js'
import { until, withCode } from './contract-row.js'

export const brokerPresenceRows: readonly BrokerContractRow[] = [
  brokerRow(
    'enter, update and leave are seen by every broker, with the data as JSON has it',
    async ({ first, second }) => {
      const [here, there] = [new Heard(), new Heard()]
      await first.room('who').subscribe(here)
      await second.room('who').subscribe(there)
      const data = { name: 'Ann', tags: ['a'], left: undefined }
      const ann = await first.room('who').enter({ id: 'ann', data })
      data.tags.push('changed later')
      const bob = await second.room('who').enter({ id: 'bob' })
      assert.deepEqual([ann.room, ann.id], ['who', 'ann'])
      for (const broker of [first, second])
        assert.deepEqual(await broker.room('who').members(), [
          { id: 'ann', data: { name: 'Ann', tags: ['a'] } },
          { id: 'bob' },
        ])
      await ann.update({ name: 'Anna' })
      await ann.update({ name: 'Anna' })
      await bob.leave()
      await bob.leave()
      await ann.leave()
      for (const heard of [here, there]) {
        await heard.sees('leave ann')
        assert.deepEqual(heard.presences, ['join ann', 'join bob', 'update ann', 'leave bob', 'leave ann'])
        assert.deepEqual(
          heard.events.map(({ room, member }) => [room, member.data]),
          [
            ['who', { name: 'Ann', tags: ['a'] }],
            ['who', undefined],
            ['who', { name: 'Anna' }],
            ['who', undefined],
            ['who', { name: 'Anna' }],
          ],
        )
      }
      assert.deepEqual(await second.room('who').members(), [])
      await assert.rejects(ann.update(1), withCode('ERR_CLOSED'))
    },
  ),
  brokerRow('an id that was entered twice is one member until both have left', async ({ first, second }) => {
    const heard = new Heard()
    await second.room('twice').subscribe(heard)
    const one = await first.room('twice').enter({ id: 'ann', data: 1 })
    const two = await second.room('twice').enter({ id: 'ann' })
    assert.deepEqual(await first.room('twice').members(), [{ id: 'ann', data: 1 }])
    const three = await second.room('twice').enter({ id: 'ann', data: 2 })
    await one.leave()
    await three.leave()
    assert.deepEqual(await first.room('twice').members(), [{ id: 'ann', data: 2 }])
    await two.leave()
    await heard.sees('leave ann')
    assert.deepEqual(heard.presences, ['join ann', 'update ann', 'leave ann'])
  }),
  brokerRow('enter with unique refuses an id that is taken, and keeps it from others', async ({ first, second }) => {
    const ann = await first.room('unique').enter({ id: 'ann' }, { unique: true })
    for (const unique of [true, false])
      await assert.rejects(second.room('unique').enter({ id: 'ann' }, { unique }), withCode('ERR_MEMBER_TAKEN'))
    await second.room('unique').enter({ id: 'bob' })
    await assert.rejects(first.room('unique').enter({ id: 'bob' }, { unique: true }), withCode('ERR_MEMBER_TAKEN'))
    await second.room('another').enter({ id: 'ann' }, { unique: true })
    await ann.leave()
    await second.room('unique').enter({ id: 'ann' }, { unique: true })
    assert.deepEqual(await first.room('unique').members(), [{ id: 'bob' }, { id: 'ann' }])
  }),
  brokerRow('rooms lists those that have members, by name', async ({ first, second }) => {
    await first.room('c').publish('nobody is here')
    const ann = await first.room('b').enter({ id: 'ann' })
    await second.room('b').enter({ id: 'bob' })
    await second.room('a').enter({ id: 'bob' })
    for (const broker of [first, second])
      assert.deepEqual(await broker.rooms(), [
        { name: 'a', members: 1 },
        { name: 'b', members: 2 },
      ])
    await ann.leave()
    assert.deepEqual(await second.rooms(), [
      { name: 'a', members: 1 },
      { name: 'b', members: 1 },
    ])
  }),
  brokerRow('presence and messages of a room come in one order', async ({ first, second }) => {
    const order: string[] = []
    await second.room('order').subscribe({
      message: ({ data }) => void order.push(String(data)),
      presence: ({ type, member }) => void order.push(`${type} ${member.id}`),
    })
    for (let i = 1; i <= 5; i += 1) {
      const member = await first.room('order').enter({ id: `m${i}` })
      await first.room('order').publish(`said ${i}`)
      await member.leave()
    }
    await until('the end', () => order.at(-1) === 'leave m5')
    assert.deepEqual(
      order,
      [1, 2, 3, 4, 5].flatMap((i) => [`join m${i}`, `said ${i}`, `leave m${i}`]),
    )
  }),
]
