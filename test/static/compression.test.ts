import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import zlib from 'node:zlib'
import { Compression } from '#src/static/compression.js'
import { filesAt } from '#src/static/files.js'
import type { FilesOptions } from '#src/static/options.js'
import { Representation } from '#src/static/representation.js'
import { ask, bodyOf, fieldOf, serving, statusOf } from './_asking.js'
import { later, temporaryFolder, untilSeen } from './_tree.js'

const TIMEOUT = { timeout: 20_000 }
const root = temporaryFolder()
const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(root, name), content)
const TEXT = 'text that comes again and again. '.repeat(100)
/** Nothing in it comes again. */
const NOISE = Buffer.concat(Array.from({ length: 64 }, (_, i) => createHash('sha512').update(String(i)).digest()))
const hasZstd = 'zstdCompress' in zlib
const plainOf = (coding: string | undefined, body: string): string => {
  const bytes = Buffer.from(body, 'latin1')
  if (coding === 'br') return zlib.brotliDecompressSync(bytes).toString('latin1')
  if (coding === 'gzip') return zlib.gunzipSync(bytes).toString('latin1')
  return body
}
const withFiles = (options: FilesOptions, body: Parameters<typeof serving>[1]): Promise<void> =>
  serving(filesAt(root, { compress: true, ...options }, later), body)

suite('compression on the way', () => {
  put('long.txt', TEXT)
  put('long.svg', TEXT)
  put('long.png', TEXT)
  put('short.txt', 'x'.repeat(1023))
  put('enough.txt', 'x'.repeat(1024))
  put('noise.txt', NOISE)
  put('twin.txt', TEXT)
  put('twin.txt.gz', zlib.gzipSync('of the twin'))

  const rows: readonly (readonly [name: string, accept: string, coding: string | undefined])[] = [
    ['long.txt', 'gzip, deflate, br', 'br'],
    ['long.txt', 'gzip', 'gzip'],
    ['long.txt', 'x-gzip', 'gzip'],
    ['long.txt', '*', 'br'],
    ['long.txt', 'br;q=0, gzip;q=0.1', 'gzip'],
    ['long.txt', 'gzip, zstd', hasZstd ? 'zstd' : 'gzip'],
    ['long.txt', 'deflate', undefined],
    ['long.txt', 'identity', undefined],
    ['long.txt', '', undefined],
    ['long.txt', 'gzip;q=2', undefined],
    ['long.svg', 'gzip', 'gzip'],
    ['long.png', 'gzip', undefined],
    ['short.txt', 'gzip', undefined],
    ['enough.txt', 'gzip', 'gzip'],
    ['noise.txt', 'gzip', undefined],
    ['twin.txt', 'gzip', 'gzip'],
    ['twin.txt', 'br, gzip', 'gzip'],
  ]
  for (const maxCachedBytes of [0, 1e6]) {
    for (const [name, accept, coding] of rows) {
      test(`${name} for "${accept}" is ${coding ?? 'plain'}, with ${maxCachedBytes} bytes of memory`, TIMEOUT, () =>
        withFiles({ maxCachedBytes }, async (server) => {
          for (const time of ['first', 'next']) {
            const answer = await ask(server, `/${name}`, `Accept-Encoding: ${accept}\r\n`)
            assert.deepEqual([statusOf(answer), fieldOf(answer, 'Content-Encoding')], [200, coding], time)
            assert.equal(fieldOf(answer, 'Vary'), 'Accept-Encoding')
            assert.equal(fieldOf(answer, 'Content-Length'), String(bodyOf(answer).length))
            const isOnTheWay = coding !== undefined && name !== 'twin.txt'
            assert.equal(fieldOf(answer, 'ETag')?.startsWith('W/'), isOnTheWay)
            assert.equal(fieldOf(answer, 'Accept-Ranges'), isOnTheWay ? undefined : 'bytes')
            if (name === 'long.txt' && coding !== 'zstd') assert.equal(plainOf(coding, bodyOf(answer)), TEXT)
            if (name === 'twin.txt') assert.equal(plainOf(coding, bodyOf(answer)), 'of the twin')
          }
        }),
      )
    }
  }
  test('each form has a tag of its own, and no ranges are given of what is compressed', TIMEOUT, () =>
    withFiles({}, async (server) => {
      const tagFor = async (accept: string): Promise<string> =>
        fieldOf(await ask(server, '/long.txt', `Accept-Encoding: ${accept}\r\n`), 'ETag') ?? ''
      const tags = [await tagFor('br'), await tagFor('gzip'), await tagFor('identity')]
      assert.equal(new Set(tags).size, 3)
      const asked = (fields: string): Promise<string> =>
        ask(server, '/long.txt', `Accept-Encoding: br\r\n${fields}\r\n`)
      assert.equal(statusOf(await asked(`If-None-Match: ${tags[0] ?? ''}`)), 304)
      assert.equal(statusOf(await asked(`If-None-Match: ${tags[1] ?? ''}`)), 200)
      assert.equal(statusOf(await asked(`If-Match: ${tags[0] ?? ''}`)), 412)
      const ranged = await asked('Range: bytes=0-3')
      assert.deepEqual([statusOf(ranged), plainOf('br', bodyOf(ranged))], [200, TEXT])
    }),
  )
  test('a file that changes is compressed anew', TIMEOUT, () =>
    withFiles({}, async (server) => {
      put('changing.txt', TEXT)
      const body = async (): Promise<string> =>
        plainOf('gzip', bodyOf(await ask(server, '/changing.txt', 'Accept-Encoding: gzip\r\n')))
      assert.deepEqual([await body(), await body()], [TEXT, TEXT])
      untilSeen(join(root, 'changing.txt'), () => put('changing.txt', TEXT.toUpperCase()))
      assert.equal(await body(), TEXT.toUpperCase())
    }),
  )
  test('HEAD tells of the same form as GET', TIMEOUT, () =>
    withFiles({}, async (server) => {
      const dateless = (answer: string): string => answer.replace(/^Date: .*\r\n/m, '').split('\r\n\r\n')[0] ?? ''
      const [get, head] = [
        await ask(server, '/long.txt', 'Accept-Encoding: br\r\n'),
        await ask(server, '/long.txt', 'Accept-Encoding: br\r\n', 'HEAD'),
      ]
      assert.deepEqual([dateless(head), bodyOf(head)], [dateless(get), ''])
    }),
  )
  test('what changed just now, and what is larger than it may be, is sent as it is', TIMEOUT, async () => {
    put('new.txt', TEXT)
    await serving(filesAt(root, { compress: true }, Date.now), async (server) => {
      put('new.txt', TEXT)
      assert.equal(fieldOf(await ask(server, '/new.txt', 'Accept-Encoding: br\r\n'), 'Content-Encoding'), undefined)
    })
    for (const [maxCompressedFileBytes, coding] of [
      [TEXT.length, 'br'],
      [TEXT.length - 1, undefined],
    ] as const)
      await withFiles({ maxCompressedFileBytes }, async (server) => {
        assert.equal(fieldOf(await ask(server, '/long.txt', 'Accept-Encoding: br\r\n'), 'Content-Encoding'), coding)
      })
  })
})

suite('Compression', () => {
  const limits = {
    minCompressedFileBytes: 0,
    maxCompressedFileBytes: 1e6,
    maxCompressedBytes: 1e6,
    maxCompressedFiles: 2,
  }
  const form = (source: Uint8Array): Representation =>
    new Representation({
      ...{
        source,
        size: source.length,
        lastModifiedMs: 0,
        version: 'v',
        type: 'text/plain',
        coding: 'gzip',
        shared: '',
      },
      etag: { value: 'v', weak: true },
    })
  const key = (name: string, version: string = 'v') => ({ name, coding: 'gzip', version }) as const
  const text = Buffer.from(TEXT)

  test('compresses once for all who ask meanwhile', TIMEOUT, async () => {
    const compression = new Compression(limits)
    let reads = 0
    const read = (): Promise<Uint8Array> => {
      reads += 1
      return Promise.resolve(text)
    }
    const forms = await Promise.all(Array.from({ length: 20 }, () => compression.make(key('a'), read, form)))
    assert.deepEqual([reads, new Set(forms).size, compression.underWay], [1, 1, 0])
    assert.equal(compression.find('a', 'gzip', 'v')?.form, forms[0])
    assert.equal(compression.find('a', 'gzip', 'other'), undefined)
  })
  test('compresses a few files at once, and leaves others as they are', TIMEOUT, async () => {
    const compression = new Compression(limits)
    const forms = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name) => compression.make(key(name), () => Promise.resolve(text), form)),
    )
    assert.deepEqual(
      forms.map((each) => each !== undefined),
      [true, true, true, true, false],
    )
    // Fewer than these are held: whichever were done first are gone.
    const held = ['a', 'b', 'c', 'd'].filter((name) => compression.find(name, 'gzip', 'v') !== undefined)
    assert.ok(held.length > 0 && held.length < 4, String(held))
    assert.equal(compression.underWay, 0)
  })
  test('a file that could not be read is an error for those who asked, and is tried again', TIMEOUT, async () => {
    const compression = new Compression(limits)
    await assert.rejects(compression.make(key('a'), () => Promise.reject(new Error('gone')), form))
    assert.equal(compression.underWay, 0)
    assert.equal(await compression.make(key('a'), () => Promise.resolve(undefined), form), undefined)
    assert.equal(compression.find('a', 'gzip', 'v'), undefined)
    assert.ok((await compression.make(key('a'), () => Promise.resolve(text), form)) !== undefined)
  })
})
