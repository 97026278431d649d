import assert from 'node:assert/strict'
import { encodeFrame } from '../engine/framing/length-prefix.js'
import { bothWays, isPending, readAllText, readText, type ConnectionContractRow } from './connection-pair.js'
import { within, withCode } from './contract-row.js'

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const soon = <T>(promise: Promise<T>): Promise<T> => within('a line or frame', promise)

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Lines, delimiters, counts and prefixes over any connection, and changing between them. */
export const framingRows: readonly ConnectionContractRow[] = [
  bothWays('lines come with their ending, or without, the last one also when it has none', async ({ near, far }) => {
    await far.write('one\ntwo\r\n\nthree')
    await far.closeWrite()
    const lines = near.lines()
    const first = await soon(lines.next())
    assert.equal(first.value, 'one\n')
    assert.deepEqual(await collect(near.lines({ keepEnd: false })), ['two', '', 'three'])
  }),
  bothWays('a line at maxLineBytes passes, one past it is ERR_LINE_LIMIT', async ({ near, far }) => {
    const limit = { maxLineBytes: 8, keepEnd: false }
    await far.write('12345678\n123456789\nrest')
    assert.equal(await soon(near.readLine(limit)), '12345678')
    await assert.rejects(soon(near.readLine(limit)), withCode('ERR_LINE_LIMIT'))
  }),
  bothWays('a line without an end is refused as soon as it is too long', async ({ near, far }) => {
    await far.write('x'.repeat(1000))
    await assert.rejects(soon(collect(near.lines({ maxLineBytes: 100 }))), withCode('ERR_LINE_LIMIT'))
  }),
  bothWays('leaving lines early loses no byte', async ({ near, far }) => {
    await far.write('one\ntwo\nraw bytes')
    await far.closeWrite()
    for await (const line of near.lines()) if (line === 'two\n') break
    assert.equal(await readAllText(near), 'raw bytes')
  }),
  bothWays('readExactly gives so many bytes, and gives them back when the peer ends before', async ({ near, far }) => {
    await far.write('abcdefg')
    assert.equal((await near.readExactly(0)).length, 0)
    assert.equal(textOf(await soon(near.readExactly(4))), 'abcd')
    await far.closeWrite()
    await assert.rejects(soon(near.readExactly(4)), withCode('ERR_UNEXPECTED_END'))
    assert.equal(await readAllText(near), 'efg')
    await assert.rejects(near.readExactly(-1), withCode('ERR_ARGUMENT'))
    await assert.rejects(near.readExactly(1.5), withCode('ERR_ARGUMENT'))
  }),
  bothWays('readUntil gives the delimiter too; its limit holds at and past it', async ({ near, far }) => {
    await far.write('head||body||')
    assert.equal(textOf(await soon(near.readUntil('||'))), 'head||')
    assert.equal(textOf(await soon(near.readUntil(Buffer.from('||')))), 'body||')
    await far.write('1234;12345;')
    assert.equal(textOf(await soon(near.readUntil(';', { maxFrameBytes: 4 }))), '1234;')
    await assert.rejects(soon(near.readUntil(';', { maxFrameBytes: 4 })), withCode('ERR_FRAME_LIMIT'))
  }),
  bothWays('readUntil rejects when the peer ends before the delimiter', async ({ near, far }) => {
    await far.write('no end')
    await far.closeWrite()
    await assert.rejects(soon(near.readUntil('\n')), withCode('ERR_UNEXPECTED_END'))
  }),
  bothWays('frames come whole, without their prefix; a limit holds at and past it', async ({ near, far }) => {
    for (const text of ['', 'one', '12345678', '123456789']) {
      await far.write(encodeFrame('u32be', Buffer.from(text)))
    }
    const got: string[] = []
    const reading = async (): Promise<void> => {
      for await (const frame of near.frames('u32be', { maxFrameBytes: 8 })) got.push(textOf(frame))
    }
    await assert.rejects(soon(reading()), withCode('ERR_FRAME_LIMIT'))
    assert.deepEqual(got, ['', 'one', '12345678'])
  }),
  bothWays('frames end with the peer, and within one with ERR_UNEXPECTED_END', async ({ near, far }) => {
    await far.write(encodeFrame('u16be', Buffer.from('whole')))
    await far.write(encodeFrame('u16be', Buffer.from('half')).slice(0, 4))
    await far.closeWrite()
    const frames = near.frames('u16be')
    const first = await soon(frames.next())
    assert.equal(first.done === true ? null : textOf(first.value), 'whole')
    await assert.rejects(soon(frames.next()), withCode('ERR_UNEXPECTED_END'))
  }),
  bothWays('the ways of reading can follow each other, and no byte is lost between them', async ({ near, far }) => {
    const frame = Buffer.from(encodeFrame('u16be', Buffer.from('framed'))).toString('latin1')
    await far.write(`line\n12345until;${frame}more\nlast;tail`)
    await far.closeWrite()
    assert.equal(await soon(near.readLine()), 'line\n')
    assert.equal(textOf(await soon(near.readExactly(5))), '12345')
    assert.equal(textOf(await soon(near.readUntil(';'))), 'until;')
    for await (const bytes of near.frames('u16be')) {
      assert.equal(textOf(bytes), 'framed')
      break
    }
    assert.equal(await soon(near.readLine({ keepEnd: false })), 'more')
    assert.equal(textOf(await soon(near.readUntil(';'))), 'last;')
    near.unread(Buffer.from('re'))
    assert.equal(await readText(near, 6), 'retail')
    assert.equal(await soon(near.read()), null)
  }),
  bothWays('what is given back between two lines comes first', async ({ near, far }) => {
    await far.write('one\nthree\n')
    assert.equal(await soon(near.readLine()), 'one\n')
    near.unread(Buffer.from('two\n'))
    assert.equal(await soon(near.readLine()), 'two\n')
    assert.equal(await soon(near.readLine()), 'three\n')
  }),
  bothWays(
    'what is given back while a line is being read belongs to it, and nothing behind it is lost',
    async ({ near, far }) => {
      await far.write('one ')
      // It has arrived for certain before the line is asked for.
      near.unread(await soon(near.readExactly(4)))
      const line = near.readLine()
      assert.equal(await isPending(line), true)
      near.unread(Buffer.from('two '))
      await far.write('three\nfour\n')
      assert.equal(await soon(line), 'one two three\n')
      assert.equal(await soon(near.readLine()), 'four\n')
    },
  ),
  bothWays('lines that are read while they arrive byte by byte are the same', async ({ near, far }) => {
    const text = 'α\nβγ\r\nδ\n'
    const reading = collect(near.lines())
    for (const byte of Buffer.from(text)) await far.write(Uint8Array.of(byte))
    await far.closeWrite()
    assert.deepEqual(await soon(reading), ['α\n', 'βγ\r\n', 'δ\n'])
  }),
]
