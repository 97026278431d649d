import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LimitError } from '#src/base/errors.js'
import { parseEvents } from '#src/client/event-stream.js'
import { textLines } from '#src/client/text-lines.js'
import { sse, stream } from '#src/http/index.js'
import { serving, session } from './_servers.js'

async function* pieces(...list: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const piece of list) yield typeof piece === 'string' ? Buffer.from(piece) : piece
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of source) found.push(one)
  return found
}

const linesOf = (type: string | undefined, ...list: readonly (string | Uint8Array)[]): Promise<string[]> =>
  all(textLines(pieces(...list), type))

void suite('lines and events of a response', () => {
  void test('textLines takes LF, CR LF and CR, also where they are cut', async () => {
    assert.deepEqual(await linesOf(undefined, 'a\nb\r\nc\rd'), ['a', 'b', 'c', 'd'])
    assert.deepEqual(await linesOf(undefined, 'a\r', '\nb\r', 'c\r'), ['a', 'b', 'c'])
    assert.deepEqual(await linesOf(undefined, 'a\n\n', '\nb\n'), ['a', '', '', 'b'])
    assert.deepEqual(await linesOf(undefined), [])
    const text = Buffer.from('Grüße\r\nzwei\rdrei\n\n')
    for (let at = 0; at <= text.length; at += 1)
      assert.deepEqual(await linesOf(undefined, text.subarray(0, at), text.subarray(at)), ['Grüße', 'zwei', 'drei', ''])
  })

  void test('textLines goes by the charset, and a byte order mark is no text', async () => {
    assert.deepEqual(await linesOf('text/plain; charset=iso-8859-1', Buffer.from('Grüße\n', 'latin1')), ['Grüße'])
    assert.deepEqual(await linesOf(undefined, '\ufeffa\nb'), ['a', 'b'])
    assert.deepEqual(await linesOf(undefined, Buffer.from('\ufeffa\nb', 'utf16le')), ['a', 'b'])
  })

  void test('textLines refuses a line that has no end', async () => {
    assert.deepEqual(await all(textLines(pieces('12345'), undefined, { maxLineLength: 5 })), ['12345'])
    await assert.rejects(all(textLines(pieces('123456'), undefined, { maxLineLength: 5 })), LimitError)
  })

  void test('parseEvents follows the standard: fields, comments, ids that last, what is not whole', async () => {
    const lines =
      ': hello,event: add,data: 1,data:2,data:  3,id: 7,retry: 50,,data,,event: none,,unknown: x,id: a\0b,data: y,,data: cut'
    const events = await all(parseEvents(listed(lines.split(','))))
    assert.deepEqual(events, [
      { event: 'add', data: '1\n2\n 3', id: '7', retryMs: 50 },
      { event: 'message', data: '', id: '7', retryMs: undefined },
      { event: 'message', data: 'y', id: '7', retryMs: undefined },
    ])
  })

  void test('events of our own server come one by one while it goes on', async (t) => {
    let next = (): void => undefined
    const url = await serving(t, () =>
      sse(
        (async function* () {
          yield { data: 'first', id: '1' }
          await new Promise<void>((resolve) => (next = resolve))
          yield { data: 'two\nlines', event: 'more' }
        })(),
      ),
    )
    const seen: string[] = []
    for await (const { event, data, id } of (await session(t).get(url)).events()) {
      seen.push(`${event} ${id} ${data}`)
      next()
    }
    assert.deepEqual(seen, ['message 1 first', 'more 1 two\nlines'])
  })

  void test('lines of a compressed response are decoded', async (t) => {
    const url = await serving(t, () => stream(pieces('one\ntw', 'o\n')))
    assert.deepEqual(await all((await session(t).get(url)).lines()), ['one', 'two'])
  })
})

async function* listed(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}
