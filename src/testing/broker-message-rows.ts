import assert from 'node:assert/strict'
import { brokerRow, Heard, numbered, publishAll, type BrokerContractRow } from './broker-trial.js'
import { patternBytes, turns, until, within, withCode } from './contract-row.js'

export const brokerMessageRows: readonly BrokerContractRow[] = [
  brokerRow(
    'publish counts from 1 in one epoch, and every broker hears the same, in order',
    async ({ first, second }) => {
      const [here, there] = [new Heard(), new Heard()]
      const began = await first.room('garden').subscribe(here)
      await second.room('garden').subscribe(there)
      assert.equal(began.position.offset, 0)
      const positions = [
        await first.room('garden').publish('one'),
        await second.room('garden').publish('zwei: grüße', { publisher: 'me' }),
        await first.room('garden').publish('three'),
      ]
      assert.deepEqual(
        positions,
        [1, 2, 3].map((offset) => ({ epoch: began.position.epoch, offset })),
      )
      await here.hears('three')
      await there.hears('three')
      for (const { messages } of [here, there]) {
        assert.deepEqual(
          messages.map(({ room, data, publisher, epoch, offset }) => [room, data, publisher, { epoch, offset }]),
          [
            ['garden', 'one', undefined, positions[0]],
            ['garden', 'zwei: grüße', 'me', positions[1]],
            ['garden', 'three', undefined, positions[2]],
          ],
        )
        for (const [i, { timeMs }] of messages.entries())
          assert.ok(Number.isInteger(timeMs) && timeMs >= (messages[i - 1]?.timeMs ?? 0))
      }
      assert.deepEqual(began.position, positions[2])
    },
  ),
  brokerRow('publish copies bytes, and delivers them as bytes, empty ones too', async ({ first, second }) => {
    const heard = new Heard()
    await second.room('bytes').subscribe(heard)
    const bytes = patternBytes(5000)
    const lent = Uint8Array.from(bytes)
    const published = first.room('bytes').publish(lent.subarray(1000, 2000))
    lent.fill(0)
    await published
    await first.room('bytes').publish(new Uint8Array(0))
    await first.room('bytes').publish('')
    await until('three messages', () => heard.messages.length === 3)
    const [data, empty, text] = heard.messages.map((message) => message.data)
    assert.ok(data instanceof Uint8Array && empty instanceof Uint8Array)
    assert.deepEqual([...data], [...bytes.subarray(1000, 2000)])
    assert.equal(empty.length, 0)
    assert.equal(text, '')
  }),
  brokerRow(
    'publish by two at once: all hear the same order, and each one’s own order is kept',
    async ({ first, second }) => {
      const [here, there] = [new Heard(), new Heard()]
      await first.room('crowd').subscribe(here)
      await second.room('crowd').subscribe(there)
      const said = await Promise.all([
        ...numbered('a', 1, 200).map((text) => first.room('crowd').publish(text)),
        ...numbered('b', 1, 200).map((text) => second.room('crowd').publish(text)),
      ])
      await until('all messages', () => here.messages.length === 400 && there.messages.length === 400)
      assert.deepEqual(here.texts, there.texts)
      assert.deepEqual(
        here.messages.map(({ offset }) => offset),
        Array.from({ length: 400 }, (_, i) => i + 1),
      )
      for (const word of ['a', 'b'])
        assert.deepEqual(
          here.texts.filter((text) => text.startsWith(word)),
          numbered(word, 1, 200),
        )
      for (const [i, { offset }] of said.entries())
        assert.equal(here.texts[offset - 1], `${i < 200 ? 'a' : 'b'} ${(i % 200) + 1}`)
    },
  ),
  brokerRow('publish has called the listeners of its broker when it resolves', async ({ first }) => {
    const heard = new Heard()
    await first.room('now').subscribe(heard)
    await first.room('now').publish('at once')
    assert.deepEqual(heard.texts, ['at once'])
  }),
  brokerRow(
    'subscribe without options hears what comes after it, and nothing of other rooms',
    async ({ first, second }) => {
      await first.room('a').publish('before')
      const heard = new Heard()
      const { position } = await second.room('a').subscribe(heard)
      assert.equal(position.offset, 1)
      await first.room('b').publish('elsewhere')
      await first.room('a').publish('after')
      await heard.hears('after')
      assert.deepEqual(heard.texts, ['after'])
    },
  ),
  brokerRow(
    'subscribe with from gives what was missed before it resolves, then goes on, each once',
    async ({ first, second }) => {
      const earlier = new Heard()
      const left = await second.room('resume').subscribe(earlier)
      await publishAll(first.room('resume'), numbered('m', 1, 3))
      await earlier.hears('m 3')
      await left.close()
      await publishAll(first.room('resume'), numbered('m', 4, 6))
      const [byPosition, byMessage] = [new Heard(), new Heard()]
      const second4 = await second.room('resume').subscribe(byPosition, { from: left.position })
      assert.deepEqual(byPosition.texts, numbered('m', 4, 6))
      assert.equal(second4.position.offset, 6)
      const [begun] = earlier.messages
      assert.ok(begun !== undefined)
      await first.room('resume').subscribe(byMessage, { from: begun })
      assert.deepEqual(byMessage.texts, numbered('m', 2, 6))
      await publishAll(first.room('resume'), numbered('m', 7, 8))
      await byPosition.hears('m 8')
      await byMessage.hears('m 8')
      assert.deepEqual(byPosition.texts, numbered('m', 4, 8))
      assert.deepEqual(byMessage.texts, numbered('m', 2, 8))
      assert.deepEqual([byPosition.gaps, byMessage.gaps, earlier.texts], [[], [], numbered('m', 1, 3)])
    },
  ),
  brokerRow('subscribe with from misses nothing while others publish', async ({ first, second }) => {
    const { position: from } = await second.room('busy').subscribe(new Heard())
    const all = [new Heard(), new Heard(), new Heard(), new Heard()]
    const texts = numbered('m', 1, 100)
    const published: Promise<unknown>[] = []
    const joined: Promise<unknown>[] = []
    for (const [i, text] of texts.entries()) {
      published.push(first.room('busy').publish(text))
      const next = i % 25 === 12 ? all[(i - 12) / 25] : undefined
      if (next !== undefined) joined.push(second.room('busy').subscribe(next, { from }))
      if (i % 10 === 0) await turns(1)
    }
    await within('all of it', Promise.all([...published, ...joined]))
    for (const heard of all) {
      await heard.hears('m 100')
      assert.deepEqual(heard.texts, texts)
      assert.deepEqual(heard.gaps, [])
    }
  }),
  brokerRow('subscribe with last gives the newest messages first', async ({ first, second }) => {
    await publishAll(first.room('last'), numbered('m', 1, 5))
    const [two, many] = [new Heard(), new Heard()]
    await second.room('last').subscribe(two, { last: 2 })
    assert.deepEqual(two.texts, ['m 4', 'm 5'])
    await second.room('last').subscribe(many, { last: Infinity })
    await first.room('last').publish('m 6')
    await many.hears('m 6')
    await two.hears('m 6')
    assert.deepEqual(many.texts, numbered('m', 1, 6))
    assert.deepEqual(two.texts, numbered('m', 4, 6))
    assert.deepEqual([two.gaps, many.gaps], [[], []])
  }),
  brokerRow(
    'subscribe tells of a gap once, with how many are missed, when history does not reach back',
    async ({ first, second }) => {
      const { position: start } = await first.room('gap').subscribe(new Heard())
      await publishAll(first.room('gap'), numbered('m', 1, 8))
      const heard = new Heard()
      await second.room('gap').subscribe(heard, { from: start })
      assert.deepEqual(heard.texts, numbered('m', 4, 8))
      assert.deepEqual(heard.gaps, [{ room: 'gap', after: start, until: { epoch: start.epoch, offset: 3 }, missed: 3 }])
      const edge = new Heard()
      await second.room('gap').subscribe(edge, { from: { epoch: start.epoch, offset: 3 } })
      assert.deepEqual([edge.texts, edge.gaps], [numbered('m', 4, 8), []])
    },
    { historyMessages: 5 },
  ),
  brokerRow(
    'subscribe tells of a gap for a position of another epoch, or one that was never given',
    async ({ first, second }) => {
      const { epoch } = await first.room('epochs').publish('m 1')
      for (const from of [
        { epoch: 'another', offset: 1 },
        { epoch, offset: 2 },
      ]) {
        const heard = new Heard()
        const { position } = await second.room('epochs').subscribe(heard, { from })
        assert.deepEqual(heard.texts, ['m 1'])
        assert.deepEqual(heard.gaps, [{ room: 'epochs', after: from, until: { epoch, offset: 0 }, missed: undefined }])
        assert.deepEqual(position, { epoch, offset: 1 })
      }
    },
  ),
  brokerRow(
    'subscribe with except passes over one publisher’s, and its position moves on',
    async ({ first, second }) => {
      await first.room('echo').publish('0', { publisher: 'ann' })
      const heard = new Heard()
      const subscription = await second.room('echo').subscribe(heard, { except: 'ann', last: 10 })
      await first.room('echo').publish('1', { publisher: 'bob' })
      await second.room('echo').publish('2', { publisher: 'ann' })
      await first.room('echo').publish('3')
      await second.room('echo').publish('4', { publisher: 'ann' })
      await until('the position', () => subscription.position.offset === 5)
      assert.deepEqual(heard.texts, ['1', '3'])
      assert.deepEqual(heard.gaps, [])
    },
  ),
  brokerRow(
    'history gives the newest, or what is after a position, and where the room stands',
    async ({ first, second }) => {
      const empty = await first.room('h').history()
      assert.deepEqual([empty.messages, empty.gap, empty.head.offset], [[], undefined, 0])
      await publishAll(first.room('h'), numbered('m', 1, 6))
      const read = async (options: Parameters<ReturnType<typeof second.room>['history']>[0]): Promise<unknown[]> => {
        const { messages, gap, head } = await second.room('h').history(options)
        assert.deepEqual(head, { epoch: empty.head.epoch, offset: 6 })
        return [messages.map(({ data }) => data), gap?.missed]
      }
      const { epoch } = empty.head
      assert.deepEqual(await read({}), [numbered('m', 3, 6), undefined])
      assert.deepEqual(await read({ maxMessages: 1 }), [['m 6'], undefined])
      assert.deepEqual(await read({ after: { epoch, offset: 3 }, maxMessages: 2 }), [numbered('m', 4, 5), undefined])
      assert.deepEqual(await read({ after: { epoch, offset: 6 } }), [[], undefined])
      assert.deepEqual(await read({ after: { epoch, offset: 1 }, maxMessages: 2 }), [numbered('m', 3, 4), 1])
    },
    { historyMessages: 4 },
  ),
  brokerRow('a subscription that was closed hears nothing more', async ({ first, second }) => {
    const [closed, open] = [new Heard(), new Heard()]
    const subscription = await first.room('leave').subscribe(closed)
    await first.room('leave').subscribe(open)
    await second.room('leave').publish('1')
    await closed.hears('1')
    const closing = subscription.close()
    assert.equal(subscription.closed, true)
    await within('close', Promise.all([closing, subscription.close(), second.room('leave').publish('2')]))
    await open.hears('2')
    assert.deepEqual([closed.texts, closed.ends], [['1'], []])
    assert.equal(subscription.position.offset, 1)
  }),
  brokerRow(
    'a listener that throws, or returns a promise that rejects, is counted and hurts nobody',
    async ({ first, second }) => {
      const heard = new Heard()
      await first.room('throw').subscribe({
        message: () => {
          throw new Error('by the listener')
        },
        presence: () => {
          throw new Error('by the listener')
        },
      })
      // As an async function is taken for one that returns nothing.
      const rejecting = (): unknown => Promise.reject(new Error('by the async listener'))
      await first.room('throw').subscribe({ message: rejecting })
      await first.room('throw').subscribe(heard)
      await second.room('throw').publish('1')
      await second.room('throw').enter({ id: 'ann' })
      await second.room('throw').publish('2')
      await heard.hears('2')
      await until('the failures', () => first.metrics.failed === 5)
      assert.deepEqual([heard.texts, heard.presences], [['1', '2'], ['join ann']])
    },
    {},
    { listensHere: true },
  ),
  brokerRow(
    'a listener may publish, subscribe and close: all see one order',
    async ({ first }) => {
      const room = first.room('again')
      const late = new Heard()
      const first3 = new Heard(({ data }) => {
        if (data !== '1' && data !== '2') return
        void room.publish(`${data}a`)
        void room.publish(`${data}b`)
        if (data === '2') void room.subscribe(late, { last: 1 })
      })
      const closing: Heard = new Heard(({ data }) => {
        if (data === '1a') void subscription.close()
      })
      const last = new Heard()
      await room.subscribe(first3)
      const subscription = await room.subscribe(closing)
      await room.subscribe(last)
      await Promise.all([room.publish('1'), room.publish('2')])
      for (const heard of [first3, last, late]) await heard.hears('2b')
      const { texts } = first3
      assert.deepEqual(last.texts, texts)
      assert.deepEqual([...texts].sort(), ['1', '1a', '1b', '2', '2a', '2b'])
      assert.ok(texts.indexOf('1a') < texts.indexOf('1b') && texts.indexOf('2a') < texts.indexOf('2b'))
      assert.equal(closing.texts.at(-1), '1a')
      assert.deepEqual(late.texts, texts.slice(texts.indexOf(late.texts[0] ?? '')))
      assert.deepEqual(late.gaps, [])
    },
    {},
    { listensHere: true },
  ),
  brokerRow('options that make no sense are refused', async ({ first }) => {
    const room = first.room('wrong')
    const from = { epoch: 'e', offset: 0 }
    for (const options of [
      { from, last: 1 },
      { last: -1 },
      { last: 1.5 },
      { from: { epoch: '', offset: 1 } },
      { from: { epoch: 'e', offset: -1 } },
    ])
      await assert.rejects(room.subscribe(new Heard(), options), withCode('ERR_ARGUMENT'))
    await assert.rejects(room.history({ maxMessages: -1 }), withCode('ERR_ARGUMENT'))
    await assert.rejects(room.history({ after: { epoch: 'e e', offset: 1 } }), withCode('ERR_ARGUMENT'))
  }),
]
