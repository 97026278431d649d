import assert from 'node:assert/strict'
import { brokerRow, Heard, numbered, publishAll, type BrokerContractRow } from './broker-trial.js'
import { withCode } from './contract-row.js'

export const brokerLimitRows: readonly BrokerContractRow[] = [
  brokerRow(
    'names of rooms, members and publishers have 1 to 255 bytes, without control characters',
    async ({ first }) => {
      const wrong = withCode('ERR_ROOM_NAME')
      for (const good of ['a', 'ü'.repeat(127), 'n'.repeat(255), 'a b/c.*>', '😀'.repeat(63)]) {
        await first.room(good).publish('x', { publisher: good })
        await first.room(good).enter({ id: good })
      }
      const room = first.room('names')
      for (const bad of ['', 'n'.repeat(256), 'ü'.repeat(128), 'a\nb', '\u0000', '\u007f', '\u0085', '\ud800']) {
        assert.throws(() => first.room(bad), wrong)
        await assert.rejects(room.publish('x', { publisher: bad }), wrong)
        await assert.rejects(room.enter({ id: bad }), wrong)
      }
    },
  ),
  brokerRow(
    'a message has at most maxMessageBytes, as text in UTF-8',
    async ({ first, second }) => {
      const heard = new Heard()
      await second.room('large').subscribe(heard)
      const tooLarge = withCode('ERR_ROOM_MESSAGE_SIZE')
      await first.room('large').publish('ü'.repeat(5))
      await first.room('large').publish(new Uint8Array(10))
      await assert.rejects(first.room('large').publish(`${'ü'.repeat(5)}x`), tooLarge)
      await assert.rejects(first.room('large').publish(new Uint8Array(11)), tooLarge)
      await first.room('large').publish('end')
      await heard.hears('end')
      assert.deepEqual(
        heard.messages.map(({ offset }) => offset),
        [1, 2, 3],
      )
    },
    { maxMessageBytes: 10 },
  ),
  brokerRow(
    'a room has at most maxRoomMembers, and each shows at most maxMemberBytes',
    async ({ first, second }) => {
      const ann = await first.room('full').enter({ id: 'ann', data: '12345678' })
      await second.room('full').enter({ id: 'bob' })
      await assert.rejects(first.room('full').enter({ id: 'carl' }), withCode('ERR_ROOM_LIMIT'))
      await second.room('full').enter({ id: 'ann' })
      await first.room('another').enter({ id: 'carl' })
      const tooLarge = withCode('ERR_ROOM_MESSAGE_SIZE')
      await assert.rejects(ann.update('123456789'), tooLarge)
      await assert.rejects(first.room('another').enter({ id: 'dora', data: '123456789' }), tooLarge)
      assert.deepEqual(await first.room('full').members(), [{ id: 'ann', data: '12345678' }, { id: 'bob' }])
    },
    { maxRoomMembers: 2, maxMemberBytes: 10 },
  ),
  brokerRow(
    'history has at most historyMessages and historyBytes, and the oldest go first',
    async ({ first, second }) => {
      await publishAll(first.room('counted'), numbered('m', 1, 4))
      assert.deepEqual(
        (await second.room('counted').history()).messages.map(({ data }) => data),
        numbered('m', 2, 4),
      )
      // Each of 1000 bytes, and what a message costs besides.
      for (let i = 0; i < 3; i += 1) await first.room('bytes').publish(new Uint8Array(1000).fill(i))
      assert.equal((await second.room('bytes').history()).messages.length, 2)
      await first.room('bytes').publish(new Uint8Array(3000))
      const { messages, head } = await second.room('bytes').history()
      assert.deepEqual([messages.length, head.offset], [0, 4])
    },
    { historyMessages: 3, historyBytes: 2600 },
  ),
]
