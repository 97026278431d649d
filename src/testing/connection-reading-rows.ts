import assert from 'node:assert/strict'
import { StreamConnection } from '../transport/stream-connection.js'
import { bothWays, isPending, readAllText, readText, type ConnectionContractRow } from './connection-pair.js'
import { turns, within, withCode } from './contract-row.js'

const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : new TextDecoder().decode(bytes))
const soon = <T>(promise: Promise<T>): Promise<T> => within('a read', promise)

/** Pull, its limits and its cancelling; giving bytes back; sinks beside reads. */
export const readingRows: readonly ConnectionContractRow[] = [
  bothWays('read gives at most maxBytes, and the rest to the next read', async ({ near, far }) => {
    await far.write('abcdef')
    await far.closeWrite()
    const parts: (string | null)[] = []
    for (let bytes = await soon(near.read({ maxBytes: 1 })); bytes !== null; bytes = await near.read({ maxBytes: 1 })) {
      assert.equal(bytes.length, 1)
      parts.push(textOf(bytes))
    }
    assert.equal(parts.join(''), 'abcdef')
    await assert.rejects(near.read({ maxBytes: 0 }), withCode('ERR_READ_LIMIT'))
    await assert.rejects(near.read({ maxBytes: Number.NaN }), withCode('ERR_READ_LIMIT'))
  }),
  bothWays('read with maxBytes that waits keeps the rest too', async ({ near, far }) => {
    const reading = near.read({ maxBytes: 2 })
    await turns(2)
    await far.write('abcdef')
    const first = textOf(await soon(reading)) ?? ''
    assert.ok(first.length <= 2)
    assert.equal(first + (await readText(near, 6 - first.length)), 'abcdef')
  }),
  bothWays('read rethrows the reason of its signal untouched, and no byte is lost', async ({ near, far }) => {
    const reason = { why: 'not an Error' }
    const already = new AbortController()
    already.abort(reason)
    await assert.rejects(near.read({ signal: already.signal }), (thrown) => thrown === reason)
    const later = new AbortController()
    const reading = near.read({ signal: later.signal })
    await turns(2)
    later.abort(reason)
    await assert.rejects(reading, (thrown) => thrown === reason)
    await far.write('kept')
    assert.equal(await readText(near, 4), 'kept')
  }),
  bothWays('a read that is aborted when bytes come loses none of them, whichever wins', async ({ near, far }) => {
    for (let round = 0; round < 20; round += 1) {
      const controller = new AbortController()
      const reading = near.read({ signal: controller.signal })
      const writing = far.write('ab')
      await turns(round % 5)
      controller.abort(new Error('raced'))
      const got = await reading.then(textOf, () => '')
      await writing
      assert.equal((got ?? '') + (got === 'ab' ? '' : await readText(near, 2 - (got?.length ?? 0))), 'ab')
    }
  }),
  bothWays('read rejects with ERR_READ_TIMEOUT in time, and no byte is lost', async ({ near, far }) => {
    await assert.rejects(near.read({ timeoutMs: 5 }), withCode('ERR_READ_TIMEOUT'))
    await assert.rejects(near.read({ timeoutMs: 1, maxBytes: 3 }), withCode('ERR_READ_TIMEOUT'))
    await far.write('kept')
    assert.equal(await readText(near, 4), 'kept')
    await far.write('more')
    assert.equal(textOf(await near.read({ timeoutMs: 10_000 })), 'more')
  }),
  bothWays('a second read rejects with ERR_BUSY_READ, and the first goes on', async ({ near, far }) => {
    const first = near.read()
    await assert.rejects(near.read(), withCode('ERR_BUSY_READ'))
    await assert.rejects(near[Symbol.asyncIterator]().next(), withCode('ERR_BUSY_READ'))
    await assert.rejects(near.readLine(), withCode('ERR_BUSY_READ'))
    await assert.rejects(near.readExactly(1), withCode('ERR_BUSY_READ'))
    await far.write('x')
    assert.equal(textOf(await soon(first)), 'x')
  }),
  bothWays('a sink and a read exclude each other with ERR_BUSY_SINK', async ({ near, far }) => {
    if (!(near instanceof StreamConnection)) return { skipped: 'only connections of this package have sinks' }
    const nothing = { data: (): void => undefined, end: (): void => undefined, close: (): void => undefined }
    const reading = near.read()
    assert.throws(() => near.sinkTo(nothing), withCode('ERR_BUSY_SINK'))
    await far.write('x')
    await soon(reading)
    const heard: string[] = []
    near.sinkTo({ ...nothing, data: (bytes) => void heard.push(textOf(bytes) ?? '') })
    assert.throws(() => near.sinkTo(nothing), withCode('ERR_BUSY_SINK'))
    await assert.rejects(near.read(), withCode('ERR_BUSY_SINK'))
    await far.write('to the sink')
    while (heard.join('') !== 'to the sink') await turns(1)
    near.releaseSink()
    await far.write('to the reader')
    assert.equal(await readText(near, 13), 'to the reader')
    return undefined
  }),
  bothWays('a sink is given what was read too far, then the end, once each', async ({ near, far }) => {
    if (!(near instanceof StreamConnection)) return { skipped: 'only connections of this package have sinks' }
    await far.write('line\nrest')
    await far.closeWrite()
    assert.equal(await soon(near.readLine()), 'line\n')
    const heard: string[] = []
    near.sinkTo({
      data: (bytes) => void heard.push(textOf(bytes) ?? ''),
      end: () => void heard.push('|end'),
      close: () => void heard.push('|close'),
    })
    while (!heard.includes('|end')) await turns(1)
    near.destroy()
    await near.closed
    assert.equal(heard.join(''), 'rest|end|close')
    return undefined
  }),
  bothWays('a sink that pauses gets nothing, not what is queued, not the end, until it resumes', async (ends) => {
    const { near, far } = ends
    if (!(near instanceof StreamConnection)) return { skipped: 'only connections of this package have sinks' }
    await far.write('wait')
    await readText(near, 4)
    for (const text of ['c', 'b', 'a']) near.unread(Buffer.from(text))
    const heard: string[] = []
    near.sinkTo({
      data(bytes) {
        heard.push(textOf(bytes) ?? '')
        if (heard.length === 1) near.pauseSink()
      },
      end: () => void heard.push('|end'),
      close: () => undefined,
    })
    await far.write('d')
    await far.closeWrite()
    await turns(20)
    assert.deepEqual(heard, ['a'])
    near.resumeSink()
    assert.deepEqual(heard.slice(0, 3), ['a', 'b', 'c'])
    near.pauseSink()
    near.resumeSink()
    while (!heard.includes('|end')) await turns(1)
    assert.equal(heard.join(''), 'abcd|end')
    return undefined
  }),
  bothWays('unread gives bytes back, in front of what is there', async ({ near, far }) => {
    await far.write('cd')
    assert.equal(await readText(near, 2), 'cd')
    near.unread(Buffer.from('cd'))
    near.unread(Buffer.from('ab'))
    near.unread(new Uint8Array(0))
    assert.equal(await readText(near, 4), 'abcd')
    const waiting = near.read()
    assert.equal(await isPending(waiting), true)
    near.unread(Buffer.from('for the one that waits'))
    assert.equal(textOf(await soon(waiting)), 'for the one that waits')
  }),
  bothWays(
    'the end is null for every read after it, and what was given back comes before it',
    async ({ near, far }) => {
      await far.closeWrite()
      assert.equal(await soon(near.read()), null)
      assert.equal(await soon(near.read({ maxBytes: 5 })), null)
      near.unread(Buffer.from('back'))
      assert.equal(textOf(await soon(near.read())), 'back')
      assert.equal(await soon(near.read()), null)
      assert.equal(await soon(near.readLine()), null)
      const { done } = await near[Symbol.asyncIterator]().next()
      assert.equal(done, true)
    },
  ),
  bothWays('iteration that is left early loses no byte', async ({ near, far }) => {
    await far.write('first')
    let got = ''
    for await (const bytes of near) {
      got += textOf(bytes)
      if (got === 'first') break
    }
    await far.write('second')
    await far.closeWrite()
    assert.equal(await readAllText(near), 'second')
  }),
  bothWays('drain ends a waiting read, in the middle of a line only when forced', async ({ near, far }) => {
    if (!(near instanceof StreamConnection)) return { skipped: 'only connections of this package are drained' }
    await far.write('begun')
    const line = near.readLine()
    while (near.activity !== 'reading') await turns(1)
    near.drain()
    assert.equal(await isPending(line), true)
    await far.write(' and done\n')
    assert.equal(await soon(line), 'begun and done\n')
    assert.equal(await soon(near.readLine()), null)
    return undefined
  }),
  bothWays('drain leaves a count that has begun to its end, and ends the next read', async ({ near, far }) => {
    if (!(near instanceof StreamConnection)) return { skipped: 'only connections of this package are drained' }
    await far.write('begun')
    const counted = near.readExactly(9)
    while (near.activity !== 'reading') await turns(1)
    near.drain()
    assert.equal(await isPending(counted), true)
    await far.write(' end')
    assert.equal(textOf(await soon(counted)), 'begun end')
    assert.equal(await soon(near.read()), null)
    return undefined
  }),
  bothWays('drain that is forced ends a line that has begun: it is the last one', async ({ near, far }) => {
    if (!(near instanceof StreamConnection)) return { skipped: 'only connections of this package are drained' }
    await far.write('begun')
    const line = near.readLine()
    while (near.activity !== 'reading') await turns(1)
    near.drain(true)
    assert.equal(await soon(line), 'begun')
    assert.equal(await soon(near.read()), null)
    await near.write('can still be written to')
    assert.equal(await readText(far, 23), 'can still be written to')
    return undefined
  }),
]
