import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { ACCEPT_ENCODING, parseCodings } from '#src/client/codings.js'
import { decodeContent, decodeWhole, type DecodingLimits } from '#src/client/content-decoding.js'

const NO_LIMITS: DecodingLimits = { maxBytes: Infinity, maxExpansion: Infinity }
const HELLO = Buffer.from('hello, hello, hello, hello')
const hasZstd = ACCEPT_ENCODING.includes('zstd')
const zstd = (bytes: Uint8Array): Buffer =>
  (zlib as unknown as { zstdCompressSync(bytes: Uint8Array): Buffer }).zstdCompressSync(bytes)

const ENCODERS: readonly (readonly [name: string, codings: string, encode: (bytes: Uint8Array) => Buffer])[] = [
  ['gzip', 'gzip', (bytes) => zlib.gzipSync(bytes)],
  ['x-gzip', 'x-gzip', (bytes) => zlib.gzipSync(bytes)],
  ['deflate', 'deflate', (bytes) => zlib.deflateSync(bytes)],
  ['deflate without wrapping', 'deflate', (bytes) => zlib.deflateRawSync(bytes)],
  ['deflate without wrapping, stored', 'deflate', (bytes) => zlib.deflateRawSync(bytes, { level: 0 })],
  ['br', 'br', (bytes) => zlib.brotliCompressSync(bytes)],
  ...(hasZstd ? [['zstd', 'zstd', zstd] as const] : []),
]

async function* cutAt(bytes: Uint8Array, ...places: readonly number[]): AsyncGenerator<Uint8Array, void, undefined> {
  let from = 0
  for (const place of [...places, bytes.length]) {
    yield bytes.subarray(from, place)
    from = place
  }
}

async function gather(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const bytes of source) parts.push(bytes)
  return Buffer.concat(parts)
}

/** Streamed whole, byte by byte and cut at each place, and at once: what comes out, or the code of the error, of each. */
async function outcomes(codings: string, bytes: Uint8Array, limits = NO_LIMITS): Promise<ReadonlySet<string>> {
  const all = new Set<string>()
  const note = async (decode: () => Promise<Uint8Array>): Promise<void> => {
    try {
      all.add(Buffer.from(await decode()).toString('latin1'))
    } catch (error) {
      all.add(String((error as { readonly code?: unknown }).code))
    }
  }
  await note(async () => decodeWhole(codings, bytes, limits))
  await note(() => gather(decodeContent(codings, cutAt(bytes), limits)))
  await note(() => gather(decodeContent(codings, cutAt(bytes, ...bytes.keys()), limits)))
  for (let at = 1; at < bytes.length; at += 1)
    await note(() => gather(decodeContent(codings, cutAt(bytes, at), limits)))
  return all
}

const check = async (name: string, codings: string, bytes: Uint8Array, expected: string): Promise<void> =>
  assert.deepEqual(await outcomes(codings, bytes), new Set([expected]), name)

test('decodeContent and decodeWhole decode what encoders make, wherever it is cut', async () => {
  for (const [name, codings, encode] of ENCODERS) {
    await check(name, codings, encode(HELLO), String(HELLO))
    await check(`${name} of nothing`, codings, encode(Buffer.alloc(0)), '')
    await check(`${name}, no bytes`, codings, Buffer.alloc(0), '')
  }
  await check('identity', 'identity', HELLO, String(HELLO))
  await check('no coding', '', HELLO, String(HELLO))
})

test('decodeContent takes several codings off in their order', async () => {
  const both = zlib.brotliCompressSync(zlib.gzipSync(HELLO))
  await check('gzip, then br', 'gzip, BR', both, String(HELLO))
  await check('with identity between', 'GZip,identity , br', both, String(HELLO))
  await check('the wrong order', 'br, gzip', both, 'ERR_CONTENT_CODING')
  let five = HELLO
  for (let i = 0; i < 5; i += 1) five = Buffer.from(zlib.deflateSync(five))
  assert.deepEqual(decodeWhole('deflate, deflate, deflate, deflate, deflate', five, NO_LIMITS), HELLO)
  assert.throws(() => parseCodings('identity,'.repeat(6)), {
    name: 'LimitError',
    code: 'ERR_CONTENT_LIMIT',
    details: { limit: 5 },
  })
  assert.equal(parseCodings('identity,'.repeat(5)).length, 0)
})

test('decodeContent refuses codings at once that it does not know', () => {
  for (const name of ['compress', 'x', 'gzip, x', 'gzip;q=1', '*'])
    assert.throws(() => decodeContent(name, cutAt(HELLO), NO_LIMITS), {
      name: 'ProtocolError',
      code: 'ERR_CONTENT_CODING',
    })
  assert.throws(() => decodeWhole('x', HELLO, NO_LIMITS), { code: 'ERR_CONTENT_CODING' })
  assert.throws(() => decodeContent('"', cutAt(HELLO), NO_LIMITS), { name: 'ProtocolError', code: 'ERR_HTTP_FIELD' })
})

test('a body that is cut off anywhere is an error', async () => {
  for (const [name, codings, encode] of ENCODERS) {
    const bytes = encode(HELLO)
    for (let length = 1; length < bytes.length; length += 1)
      await check(`${name}, ${length} of ${bytes.length}`, codings, bytes.subarray(0, length), 'ERR_CONTENT_CODING')
  }
})

test('what stands behind the end of a body is an error, but for members, frames and padding', async () => {
  for (const [name, codings, encode] of ENCODERS) {
    const bytes = encode(HELLO)
    await check(`${name} and garbage`, codings, Buffer.concat([bytes, Buffer.from('x')]), 'ERR_CONTENT_CODING')
    const isOneOfMany = name.includes('gzip') || name === 'zstd'
    const twice = Buffer.concat([bytes, bytes])
    await check(`${name} twice`, codings, twice, isOneOfMany ? String(HELLO).repeat(2) : 'ERR_CONTENT_CODING')
    const padded = Buffer.concat([bytes, Buffer.alloc(3)])
    await check(`${name} and zeros`, codings, padded, name.includes('gzip') ? String(HELLO) : 'ERR_CONTENT_CODING')
    const both = Buffer.concat([padded, Buffer.from('x')])
    await check(`${name}, zeros and garbage`, codings, both, 'ERR_CONTENT_CODING')
  }
})

test('a body that is malformed is an error', async () => {
  for (const [, codings] of ENCODERS)
    await check(codings, codings, Buffer.from('\xffhello', 'latin1'), 'ERR_CONTENT_CODING')
  const sum = zlib.gzipSync(HELLO)
  sum[sum.length - 5] = (sum.at(-5) ?? 0) ^ 1
  await check('a wrong sum', 'gzip', sum, 'ERR_CONTENT_CODING')
  const length = zlib.gzipSync(HELLO)
  length[length.length - 1] = 1
  await check('a wrong length', 'gzip', length, 'ERR_CONTENT_CODING')
})

test('an error of decodeContent names the coding, and has its cause', async () => {
  const bytes = zlib.gzipSync(HELLO).subarray(0, -1)
  await assert.rejects(gather(decodeContent('gzip', cutAt(bytes), NO_LIMITS)), (error: Error) => {
    const { details } = error as Error & { readonly details: unknown }
    assert.deepEqual(details, { coding: 'gzip' })
    return error.cause instanceof Error
  })
})

test('a body is limited in bytes when it is decoded', async () => {
  for (const [name, codings, encode] of ENCODERS) {
    const bytes = encode(HELLO)
    const limited = (maxBytes: number): Promise<ReadonlySet<string>> =>
      outcomes(codings, bytes, { ...NO_LIMITS, maxBytes })
    assert.deepEqual(await limited(HELLO.length), new Set([String(HELLO)]), name)
    assert.deepEqual(await limited(HELLO.length - 1), new Set(['ERR_CONTENT_LIMIT']), `${name}, one less`)
    assert.deepEqual(await limited(0), new Set(['ERR_CONTENT_LIMIT']), `${name}, none`)
    assert.deepEqual(
      await outcomes(codings, encode(Buffer.alloc(0)), { ...NO_LIMITS, maxBytes: 0 }),
      new Set(['']),
      `${name} of nothing`,
    )
  }
})

test('a body is limited in how much it expands, from 1 MiB up', async () => {
  const MIB = 1024 * 1024
  for (const [name, codings, encode] of ENCODERS) {
    const free = encode(Buffer.alloc(MIB))
    const limits = { maxBytes: Infinity, maxExpansion: 1 }
    assert.equal((await gather(decodeContent(codings, cutAt(free), limits))).length, MIB, name)
    assert.equal(decodeWhole(codings, free, limits).length, MIB, name)
    if (name.includes('stored')) continue
    const details = { coding: codings.replace('x-', ''), limit: MIB, maxExpansion: 1 }
    const error = { name: 'LimitError', code: 'ERR_CONTENT_LIMIT', details }
    const over = encode(Buffer.alloc(MIB + 1))
    await assert.rejects(gather(decodeContent(codings, cutAt(over), limits)), error, name)
    assert.throws(() => decodeWhole(codings, over, limits), error, name)
    const exact = { maxBytes: Infinity, maxExpansion: (MIB + 1) / over.length }
    assert.equal(decodeWhole(codings, over, exact).length, MIB + 1, name)
    assert.equal((await gather(decodeContent(codings, cutAt(over), exact))).length, MIB + 1, name)
  }
})

test('a body in two codings is limited after each', async () => {
  // The inner one is short again: without the look between, a MiB would become a GiB on the way.
  const bomb = zlib.gzipSync(Buffer.concat([zlib.gzipSync(Buffer.from('x')), Buffer.alloc(8 * 1024 * 1024)]))
  const limits = { maxBytes: 1024, maxExpansion: Infinity }
  assert.deepEqual(await gather(decodeContent('gzip, gzip', cutAt(bomb), NO_LIMITS)), Buffer.from('x'))
  await assert.rejects(gather(decodeContent('gzip, gzip', cutAt(bomb), limits)), { code: 'ERR_CONTENT_LIMIT' })
  assert.throws(() => decodeWhole('gzip, gzip', bomb, limits), { code: 'ERR_CONTENT_LIMIT' })
})

test('decodeContent takes from the source only what is asked for, and closes it', async () => {
  const bytes = zlib.gzipSync(
    Buffer.alloc(
      4 * 1024 * 1024,
      Uint8Array.from({ length: 251 }, (_, i) => i),
    ),
    { level: 0 },
  )
  let taken = 0
  let closed = 0
  async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let at = 0; at < bytes.length; at += 65_536) {
        taken += 1
        yield bytes.subarray(at, at + 65_536)
      }
    } finally {
      closed += 1
    }
  }
  let total = 0
  for await (const piece of decodeContent('gzip', source(), NO_LIMITS)) {
    total += piece.length
    assert.ok(taken * 65_536 - total <= 2 * 65_536, `${taken} pieces were taken for ${total} bytes`)
  }
  assert.equal(closed, 1)
  for await (const piece of decodeContent('gzip', source(), NO_LIMITS)) if (piece.length > 0) break
  assert.equal(closed, 2, 'left in the middle')
  await assert.rejects(gather(decodeContent('br', source(), NO_LIMITS)), { code: 'ERR_CONTENT_CODING' })
  assert.equal(closed, 3, 'at an error')
})

test('what the source throws is thrown as it is', async () => {
  const failure = new Error('mine')
  async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
    yield zlib.gzipSync(HELLO).subarray(0, 12)
    throw failure
  }
  await assert.rejects(gather(decodeContent('gzip', source(), NO_LIMITS)), (error) => error === failure)
})

test('what a server has flushed comes out before it sends more', async () => {
  const gzip = zlib.createGzip()
  gzip.write('first')
  await new Promise<void>((resolve) => gzip.flush(zlib.constants.Z_SYNC_FLUSH, resolve))
  const pieces: Uint8Array[] = []
  for (let piece = gzip.read() as Uint8Array | null; piece !== null; piece = gzip.read() as Uint8Array | null)
    pieces.push(piece)
  const first = Buffer.concat(pieces)
  let isAsked = false
  async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
    yield first
    isAsked = true
  }
  const iterator = decodeContent('gzip', source(), NO_LIMITS)[Symbol.asyncIterator]()
  const { value } = await iterator.next()
  assert.equal(String(value), 'first')
  assert.equal(isAsked, false)
  await assert.rejects(iterator.next(), { code: 'ERR_CONTENT_CODING' })
})

test('ACCEPT_ENCODING names what can be decoded', () => {
  assert.match(ACCEPT_ENCODING, /^gzip, deflate, br(?:, zstd)?$/)
  for (const name of ACCEPT_ENCODING.split(', ')) assert.equal(parseCodings(name)[0]?.name, name)
})

test('any bytes are decoded alike wherever they are cut, or refused with a code', async () => {
  const encoded = fc
    .tuple(
      fc.constantFrom(...ENCODERS),
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 3 }),
      fc.nat(300),
    )
    .map(([[, codings, encode], bytes, behind, flip]) => {
      const all = Buffer.concat([encode(bytes), behind])
      if (flip < all.length) all[flip] = (all[flip] ?? 0) ^ 0x10
      return [codings, all] as const
    })
  await fc.assert(
    fc.asyncProperty(encoded, fc.nat(), async ([codings, bytes], at) => {
      const results = new Set<string>()
      for (const decode of [
        async (): Promise<Uint8Array> => decodeWhole(codings, bytes, NO_LIMITS),
        (): Promise<Uint8Array> => gather(decodeContent(codings, cutAt(bytes, at % bytes.length), NO_LIMITS)),
      ]) {
        try {
          results.add(Buffer.from(await decode()).toString('latin1'))
        } catch (error) {
          assert.equal((error as { readonly code?: unknown }).code, 'ERR_CONTENT_CODING')
          results.add('refused')
        }
      }
      assert.equal(results.size, 1)
    }),
    { numRuns: 300 },
  )
})
