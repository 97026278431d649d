import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { encodeMultipart, type MultipartInit } from '#src/client/multipart.js'
import { filePart, streamPart } from '#src/client/parts.js'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'multipart-'))
})
after(async () => {
  await rm(folder, { recursive: true })
})

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const text of texts) yield Buffer.from(text)
}

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const bytes of source) parts.push(bytes)
  return Buffer.concat(parts)
}

const text = (name: string, value: string): string =>
  `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`

const file = (value: string, fileName?: string, type = 'application/octet-stream', name = 'a'): string => {
  const shown = fileName === undefined ? '' : `; filename="${fileName}"`
  return `--B\r\nContent-Disposition: form-data; name="${name}"${shown}\r\nContent-Type: ${type}\r\n\r\n${value}\r\n`
}

test('encodeMultipart writes its table, with its length', async () => {
  const path = join(folder, 'c d.txt')
  await writeFile(path, 'on disk')
  const rows: readonly (readonly [name: string, fields: MultipartInit, expected: string])[] = [
    ['nothing', {}, ''],
    ['a text', { a: 'b' }, text('a', 'b')],
    ['an empty text', { a: '' }, text('a', '')],
    [
      'scalars',
      { a: 1, b: true, c: 2n, d: null, e: new Date(0), f: undefined },
      text('a', '1') + text('b', 'true') + text('c', '2') + text('d', '') + text('e', '1970-01-01T00:00:00.000Z'),
    ],
    ['a list', { a: ['b', undefined, new Blob(['c'])] }, text('a', 'b') + file('c', 'blob')],
    ['an empty list', { a: [] }, ''],
    [
      'pairs',
      [
        ['a', 'b'],
        ['a', 'c'],
      ],
      text('a', 'b') + text('a', 'c'),
    ],
    ['UTF-8', { ä: '€' }, text('ä', '€')],
    ['lines of a text stay', { a: 'b\nc\rd\r\n' }, text('a', 'b\nc\rd\r\n')],
    ['a name with quotes and lines', { 'a"b\nc\rd\r\ne\\%22': 'x' }, text('a%22b%0D%0Ac%0D%0Ad%0D%0Ae\\%22', 'x')],
    ['bytes', { a: Buffer.from('b') }, file('b')],
    ['no bytes', { a: new Uint8Array(0) }, file('')],
    ['a Blob', { a: new Blob(['b'], { type: 'text/x' }) }, file('b', 'blob', 'text/x')],
    ['a File', { a: new File(['b'], 'c"\n\r.txt', { type: 'text/x' }) }, file('b', 'c%22%0A%0D.txt', 'text/x')],
    ['a file', { a: filePart(path) }, file('on disk', 'c d.txt')],
    [
      'a file with names',
      { a: filePart(path, { name: 'ä/x', type: 'text/plain' }) },
      file('on disk', 'ä/x', 'text/plain'),
    ],
    [
      'a stream of a known length',
      { a: streamPart(chunks('b', '', 'c'), { length: 2, name: 'd', type: 'e/f' }) },
      file('bc', 'd', 'e/f'),
    ],
    ['a stream of no bytes', { a: streamPart(chunks(), { length: 0 }) }, file('')],
  ]
  for (const [name, fields, parts] of rows) {
    const body = encodeMultipart(fields, { boundary: 'B' })
    const bytes = await bytesOf(body.open())
    assert.equal(String(bytes), `${parts}--B--\r\n`, name)
    assert.equal(body.length, bytes.length, name)
    assert.equal(body.contentType, 'multipart/form-data; boundary=B')
  }
})

test('encodeMultipart takes streams whose length nobody knows', async () => {
  for (const part of [streamPart(chunks('b', 'c')), chunks('b', 'c')]) {
    const body = encodeMultipart({ a: part }, { boundary: 'B' })
    assert.equal(body.length, 'chunked')
    assert.equal(String(await bytesOf(body.open())), `${file('bc')}--B--\r\n`)
  }
})

test('a form of encodeMultipart is replayable unless a part is used up', async () => {
  const path = join(folder, 'replayed')
  await writeFile(path, 'x')
  const again = encodeMultipart({
    a: 'b',
    c: new Blob(['d']),
    e: filePart(path),
    f: streamPart(() => chunks('g')),
    h: Buffer.from('i'),
  })
  assert.equal(again.isReplayable, true)
  assert.deepEqual(await bytesOf(again.open()), await bytesOf(again.open()))
  const once = encodeMultipart({ a: 'b', c: streamPart(chunks('d'), { length: 1 }) })
  assert.equal(once.isReplayable, false)
  await bytesOf(once.open())
  assert.throws(() => once.open(), { name: 'UsageError', code: 'ERR_STATE' })
})

test('encodeMultipart makes a boundary that no other form has', () => {
  const types = new Set(Array.from({ length: 100 }, () => encodeMultipart({}).contentType))
  assert.equal(types.size, 100)
  for (const type of types) assert.match(type, /^multipart\/form-data; boundary=moorage-[0-9a-f]{32}$/)
})

test('encodeMultipart refuses what it cannot send', () => {
  const wrong: readonly unknown[] = [
    null,
    'a=b',
    { a: {} },
    { a: [['b']] },
    { a: new Date(NaN) },
    { a: filePart(process.execPath, { type: '' }) },
    { a: filePart(process.execPath, { type: 'a/b\r\nX: y' }) },
    { a: streamPart(chunks(), { length: -1 }) },
    { a: streamPart(chunks(), { length: 1.5 }) },
  ]
  for (const fields of wrong)
    assert.throws(() => encodeMultipart(fields as MultipartInit), { name: 'UsageError', code: 'ERR_ARGUMENT' })
  for (const boundary of ['', 'a b', 'a"', 'a'.repeat(71)])
    assert.throws(() => encodeMultipart({}, { boundary }), { name: 'UsageError', code: 'ERR_ARGUMENT' })
  encodeMultipart({}, { boundary: 'a'.repeat(70) })
})

const source = { name: 'NetError', code: 'ERR_BODY_SOURCE' }

test('encodeMultipart refuses a file that is not there, and a folder', () => {
  assert.throws(() => encodeMultipart({ a: filePart(join(folder, 'missing')) }), source)
  assert.throws(() => encodeMultipart({ a: filePart(folder) }), source)
})

test('a file that changes while it is sent is an error', async () => {
  const path = join(folder, 'changing')
  const large = 'x'.repeat(600 * 1024)
  const changes: readonly (readonly [name: string, change: () => Promise<unknown>])[] = [
    ['shorter', () => truncate(path, large.length - 1)],
    ['longer', () => appendFile(path, 'x')],
    ['empty', () => truncate(path, 0)],
  ]
  for (const [name, change] of changes) {
    await writeFile(path, large)
    const body = encodeMultipart({ a: filePart(path) })
    await change()
    await assert.rejects(bytesOf(body.open()), source, `${name} before it is read`)
    for (const at of [1, 2, 3]) {
      await writeFile(path, large)
      const body = encodeMultipart({ a: filePart(path) })
      const pieces = body.open()[Symbol.asyncIterator]()
      for (let i = 0; i <= at; i += 1) await pieces.next()
      await change()
      await assert.rejects(
        async () => {
          while ((await pieces.next()).done !== true);
        },
        source,
        `${name} behind piece ${at}`,
      )
    }
  }
  await writeFile(path, large)
  const body = encodeMultipart({ a: filePart(path) })
  await rm(path)
  await assert.rejects(bytesOf(body.open()), source, 'removed')
})

test('a stream that has another length than was said is an error', async () => {
  const form = (length: number): AsyncIterable<Uint8Array> =>
    encodeMultipart({ a: streamPart(() => chunks('ab', 'cd'), { length }) }).open()
  await bytesOf(form(4))
  await assert.rejects(bytesOf(form(3)), source)
  await assert.rejects(bytesOf(form(5)), source)
})

test('what a stream throws is thrown as it is, and one that is not read to its end is closed', async () => {
  const failure = new Error('mine')
  let closed = 0
  async function* failing(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield Buffer.alloc(20_000)
      throw failure
    } finally {
      closed += 1
    }
  }
  await assert.rejects(bytesOf(encodeMultipart({ a: failing() }).open()), (error) => error === failure)
  for await (const bytes of encodeMultipart({ a: failing() }).open()) if (bytes.length === 20_000) break
  assert.equal(closed, 2)
})

test('a pipe is sent once, and without a length', { skip: process.platform === 'win32' }, async () => {
  const path = join(folder, 'pipe')
  await promisify(execFile)('mkfifo', [path])
  const body = encodeMultipart({ a: filePart(path) }, { boundary: 'B' })
  assert.deepEqual([body.length, body.isReplayable], ['chunked', false])
  const [bytes] = await Promise.all([bytesOf(body.open()), writeFile(path, 'through')])
  assert.equal(String(bytes), `${file('through', 'pipe')}--B--\r\n`)
})

test('small parts are sent together, and large ones are not copied', async () => {
  const small = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, 'x']))
  let pieces = 0
  for await (const bytes of encodeMultipart(small).open()) pieces += Math.sign(bytes.length)
  assert.equal(pieces, 1)
  const large = Buffer.alloc(16 * 1024)
  const seen: Uint8Array[] = []
  for await (const bytes of encodeMultipart({ a: large }).open()) seen.push(bytes)
  assert.equal(seen.length, 3)
  assert.equal(seen[1], large)
})

test('what encodeMultipart writes is read by Response.formData', async () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'ä', '€', '"', ';', '=', ' ', '\\'), minLength: 1, maxLength: 5 })
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => new File([bytes], 'f', { type: 'a/b' })),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 5 }), async (fields) => {
      const { contentType, open } = encodeMultipart(fields)
      const form = await new Response(await bytesOf(open()), { headers: { 'content-type': contentType } }).formData()
      const read: [string, unknown][] = []
      for (const [key, entry] of form)
        read.push([key, typeof entry === 'string' ? entry : Buffer.from(await entry.arrayBuffer())])
      const given: [string, unknown][] = []
      for (const [key, entry] of fields)
        given.push([key, typeof entry === 'string' ? entry : Buffer.from(await entry.arrayBuffer())])
      assert.deepEqual(read, given)
    }),
    { numRuns: 50 },
  )
})

test('no more of a large file is held than a few pieces', async () => {
  const path = join(folder, 'sparse')
  await writeFile(path, '')
  await truncate(path, 300 * 1024 * 1024)
  const body = encodeMultipart({ a: filePart(path) })
  let total = 0
  let longest = 0
  for await (const bytes of body.open()) {
    total += bytes.length
    longest = Math.max(longest, bytes.length)
  }
  assert.equal(total, body.length)
  assert.equal(longest, 256 * 1024)
})
