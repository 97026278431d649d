import assert from 'node:assert/strict'
import { brokerRow, type BrokerContractRow } from './broker-trial.js'
import { patternBytes, until, within, withCode } from './contract-row.js'

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })

/** What is not over while a row is tried. */
const LONG = { ttlMs: 600_000 }

export const brokerCacheRows: readonly BrokerContractRow[] = [
  brokerRow('a cache has what JSON has, and bytes, for all brokers; each by its name', async ({ first, second }) => {
    const [here, there] = [first.cache('things', LONG), second.cache('things', LONG)]
    const bytes = patternBytes(5000)
    for (const [key, value] of Object.entries({
      text: 'grüße',
      number: 0,
      nothing: null,
      list: [1, { a: 'b' }],
      none: '',
      bytes,
      empty: new Uint8Array(0),
    })) {
      assert.equal(await there.get(key), undefined)
      await here.set(key, value)
      assert.deepEqual(await there.get(key), value)
    }
    assert.equal(await second.cache('others').get('text'), undefined)
    await there.delete('text')
    assert.equal(await here.get('text'), undefined)
    await there.delete('text')
    await here.set('list', 'anew')
    assert.equal(await there.get('list'), 'anew')
    const { hits, misses, stale } = here.counts
    assert.deepEqual([hits, misses, stale], [0, 1, 0])
  }),
  brokerRow('a value is over behind its time', async ({ first, second }) => {
    const cache = first.cache<string>('short', { ttlMs: 300 })
    await cache.set('a', 'of the cache')
    await cache.set('b', 'of its own', LONG)
    assert.equal(await second.cache('short').get('a'), 'of the cache')
    await pause(350)
    assert.deepEqual([await cache.get('a'), await cache.get('b')], [undefined, 'of its own'])
  }),
  brokerRow('a value is computed once for all who ask, here and elsewhere', async ({ first, second }) => {
    const caches = [first.cache<number>('once', LONG), second.cache<number>('once', LONG)]
    let computed = 0
    const compute = async (): Promise<number> => {
      computed += 1
      await pause(50)
      return 42
    }
    const asked = caches.flatMap((cache) => Array.from({ length: 20 }, () => cache.getOrCompute('answer', compute)))
    assert.deepEqual(new Set(await within('all answers', Promise.all(asked))), new Set([42]))
    assert.equal(computed, 1)
    assert.equal(await caches[1]?.getOrCompute('answer', compute), 42)
    assert.equal(computed, 1)
  }),
  brokerRow('what a computation throws is thrown, and not kept', async ({ first }) => {
    const cache = first.cache<string>('throws', LONG)
    const failing = cache.getOrCompute('a', () => {
      throw new Error('by the computation')
    })
    await assert.rejects(failing, /by the computation/)
    assert.equal(
      await within(
        'another',
        cache.getOrCompute('a', () => 'made'),
      ),
      'made',
    )
  }),
  brokerRow(
    'a computation that hangs keeps others waiting for computeMs, and what comes late is not kept',
    async ({ first, second }) => {
      const options = { ...LONG, computeMs: 300 }
      let release = (): void => undefined
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      const slow = first.cache<string>('slow', options)
      let began = false
      const late = slow.getOrCompute('a', () => {
        began = true
        return held.then(() => 'late')
      })
      await until('the slow one', () => began)
      const fast = second.cache<string>('slow', options)
      assert.equal(
        await within(
          'the other',
          fast.getOrCompute('a', () => 'fast'),
        ),
        'fast',
      )
      release()
      assert.equal(await within('the late one', late), 'late')
      assert.equal(await fast.get('a'), 'fast')
      assert.deepEqual([slow.counts.overtaken, fast.counts.overtaken], [1, 0])
    },
  ),
  brokerRow('behind its time a value is given at once while it is made anew', async ({ first, second }) => {
    const cache = first.cache<string>('stale', { ttlMs: 200, staleMs: 600_000 })
    await cache.set('a', 'old')
    await pause(250)
    let computed = 0
    const compute = (): string => `new ${(computed += 1)}`
    assert.equal(await cache.getOrCompute('a', compute, LONG), 'old')
    await until('the new one', () => computed === 1)
    const there = second.cache<string>('stale', { ttlMs: 200, staleMs: 600_000 })
    let seen: string | undefined
    await until('the new one elsewhere', () => {
      void there.get('a').then((value) => (seen = value))
      return seen === 'new 1'
    })
    assert.equal(cache.counts.stale, 1)
  }),
  brokerRow('all values with a tag are invalidated by it, everywhere', async ({ first, second }) => {
    const [here, there] = [first.cache<string>('tags', LONG), second.cache<string>('tags', LONG)]
    await here.set('a', '1', { tags: ['x', 'y'] })
    await there.set('b', '2', { tags: ['y'] })
    await there.set('c', '3', { tags: ['z'] })
    await here.set('d', '4')
    assert.deepEqual(await Promise.all(['a', 'b', 'c', 'd'].map((key) => there.get(key))), ['1', '2', '3', '4'])
    await there.invalidate('y', 'nobody has it')
    assert.deepEqual(await Promise.all(['a', 'b', 'c', 'd'].map((key) => here.get(key))), [
      undefined,
      undefined,
      '3',
      '4',
    ])
    await here.set('a', 'again', { tags: ['y'] })
    assert.equal(await there.get('a'), 'again')
  }),
  brokerRow('keys, tags, times and values that cannot be are refused', async ({ first }) => {
    const cache = first.cache('wrong', { maxValueBytes: 10 })
    const name = withCode('ERR_ROOM_NAME')
    assert.throws(() => first.cache('a\nb'), name)
    assert.throws(() => first.cache('a', { ttlMs: -1 }), withCode('ERR_OPTION_VALUE'))
    await assert.rejects(cache.get(''), name)
    await assert.rejects(cache.set('a\nb', 1), name)
    await assert.rejects(cache.set('a', 1, { tags: [''] }), name)
    await assert.rejects(
      cache.getOrCompute('', () => 1),
      name,
    )
    await assert.rejects(cache.set('a', 1, { ttlMs: -1 }), withCode('ERR_ARGUMENT'))
    await assert.rejects(cache.set('a', undefined), withCode('ERR_ARGUMENT'))
    await assert.rejects(cache.set('a', 1n), withCode('ERR_ARGUMENT'))
    await cache.set('a', '12345678')
    await assert.rejects(cache.set('a', '123456789'), withCode('ERR_ROOM_MESSAGE_SIZE'))
    await cache.set('a', new Uint8Array(10))
    await assert.rejects(cache.set('a', new Uint8Array(11)), withCode('ERR_ROOM_MESSAGE_SIZE'))
    await first.close()
    await assert.rejects(cache.get('a'), withCode('ERR_BROKER_CLOSED'))
  }),
]
