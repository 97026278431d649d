import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { errorCodeOf } from '#src/base/errors.js'
import { MemoryNetwork } from '#src/transport/index.js'
import { receiveFiles, sendFiles } from '#src/transfer/index.js'
import { encodeMessage } from '#src/transfer/encode.js'
import type { Message } from '#src/transfer/messages.js'
import { contentOf, ends, folders, transfer, valueOf, type Ending } from './_both-ends.js'

const bytes = (count: number, seed: number): Buffer => {
  const made = Buffer.alloc(count)
  let state = seed + 1
  for (let i = 0; i < count; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    made[i] = state >>> 24
  }
  return made
}
const codeOf = (ending: Ending): string | undefined =>
  ending.status === 'rejected' ? errorCodeOf(ending.reason) : undefined
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

test('sendFiles and receiveFiles carry files, empty files, folders, empty folders, modes and times', async (context) => {
  const { from, to } = await folders(context)
  await mkdir(join(from, 'tree/a/b'), { recursive: true })
  await mkdir(join(from, 'tree/empty'))
  await writeFile(join(from, 'tree/a/b/one'), bytes(300_000, 1))
  await writeFile(join(from, 'tree/zero'), '')
  await writeFile(join(from, 'single'), 'hello')
  await chmod(join(from, 'single'), 0o750)
  await utimes(join(from, 'single'), 1_000_000_000.5, 1_000_000_000.5)
  await symlink('/etc/passwd', join(from, 'tree/link'))
  const { sent, received } = await transfer([join(from, 'tree'), join(from, 'single')], to)
  const { files, failed } = valueOf(sent)
  assert.equal(failed, 1, 'the link')
  assert.deepEqual(files.find(({ name }) => name === 'tree/link')?.status, 'skipped')
  assert.equal(valueOf(received).failed, 0)
  const { 'tree/link': _, ...expected } = await contentOf(from)
  assert.deepEqual(await contentOf(to), expected)
  const single = await stat(join(to, 'single'))
  assert.equal(single.mode & 0o777, 0o750 & ~process.umask())
  assert.equal(single.mtimeMs, 1_000_000_000_500)
  assert.equal(files.find(({ name }) => name === 'single')?.sha256, sha256(Buffer.from('hello')))
})

test('receiveFiles keeps what is equal, refuses what differs, and replaces it only with overwrite', async (context) => {
  const { from, to } = await folders(context)
  const source = join(from, 'a')
  await writeFile(source, 'new')
  await writeFile(join(to, 'a'), 'new')
  assert.equal(valueOf((await transfer([source], to)).sent).files[0]?.status, 'present')
  await writeFile(join(to, 'a'), 'old')
  const refused = valueOf((await transfer([source], to)).sent).files[0]
  assert.deepEqual([refused?.status, refused?.error?.code], ['refused', 'ERR_TRANSFER_STORAGE'])
  assert.equal(refused?.error?.details['reason'], 'exists')
  assert.deepEqual(await contentOf(to), { a: 'old' })
  const stored = await transfer([source], to, { receive: { overwrite: true } })
  assert.equal(valueOf(stored.received).files[0]?.status, 'stored')
  assert.deepEqual(await contentOf(to), { a: 'new' })
})

test('a transfer that is cut again and again ends with the same bytes, and sends less than a window twice each time', async (context) => {
  const { from, to } = await folders(context)
  const data = bytes(3_000_000, 7)
  await mkdir(join(from, 'x'))
  await writeFile(join(from, 'x/big'), data)
  await writeFile(join(from, 'x/small'), 'small')
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.constantFrom(0.02, 0.05, 0.1),
      fc.constantFrom(1000, 20_000, Infinity),
      async (seed, resetRate, maxChunkBytes) => {
        const target = join(to, String((run += 1)))
        const network = new MemoryNetwork({ seed, resetRate, maxChunkBytes })
        let attempts = 0
        let moved = 0
        for (let isDone = false; !isDone; attempts += 1) {
          assert.ok(attempts < 2000, 'it never ends')
          let now = 0
          const onProgress = ({ transferredBytes }: { readonly transferredBytes: number }): void => {
            now = transferredBytes
          }
          const { sent } = await transfer([join(from, 'x')], target, {
            network,
            send: { windowBytes: 65_536, onProgress, progressIntervalMs: 0 },
          })
          moved += now
          isDone = sent.status === 'fulfilled' && sent.value.failed === 0
        }
        assert.deepEqual(await contentOf(target), await contentOf(join(from, 'x', '..')))
        assert.ok(moved <= data.length + 5 + attempts * (65_536 + 5), `${moved} bytes in ${attempts} attempts`)
      },
    ),
    { numRuns: 6 },
  )
})

test('receiveFiles goes on from a partial file, and begins again when its source has changed', async (context) => {
  const { from, to } = await folders(context)
  const source = join(from, 'a')
  const data = bytes(500_000, 3)
  await writeFile(source, data)
  const part = join(to, 'a.part')
  const interrupt = async (): Promise<void> => {
    const controller = new AbortController()
    const onProgress = ({ bytes: at }: { readonly bytes: number }): void => {
      if (at >= 200_000) controller.abort(new Error('cut'))
    }
    const { received } = await transfer([source], to, {
      receive: { signal: controller.signal, onProgress, progressIntervalMs: 0 },
      send: { windowBytes: 65_536 },
    })
    assert.equal(received.status, 'rejected')
    assert.ok((await stat(part)).size > 100_000)
  }
  await interrupt()
  const resumed = valueOf((await transfer([source], to)).sent).files[0]
  assert.ok(resumed !== undefined && resumed.resumedAt > 100_000)
  assert.equal(resumed.transferredBytes, data.length - resumed.resumedAt)
  assert.equal(resumed.sha256, sha256(data))
  assert.deepEqual(Object.keys(await contentOf(to)), ['a'])

  // Other bytes under the same size and time: only the digest of the start can tell.
  const other = bytes(500_000, 4)
  const { mtime } = await stat(source)
  await writeFile(source, other)
  await utimes(source, mtime, mtime)
  await truncate(join(to, 'a'), 1)
  const options = { receive: { overwrite: true } }
  await writeFile(part, data.subarray(0, 1000))
  const mtimeNs = (await stat(source, { bigint: true })).mtimeNs
  await writeFile(`${part}.moorage`, `moorage 1 ${data.length} ${mtimeNs}\n`)
  const fresh = valueOf((await transfer([source], to, options)).sent).files[0]
  assert.deepEqual([fresh?.status, fresh?.resumedAt, fresh?.sha256], ['stored', 0, sha256(other)])
})

test('receiveFiles leaves a .part file alone that it did not make', async (context) => {
  const { from, to } = await folders(context)
  await writeFile(join(from, 'a'), 'mine')
  await writeFile(join(to, 'a.part'), 'yours')
  const result = valueOf((await transfer([join(from, 'a')], to)).sent).files[0]
  assert.deepEqual([result?.status, result?.error?.code], ['refused', 'ERR_TRANSFER_STORAGE'])
  assert.deepEqual(await contentOf(to), { 'a.part': 'yours' })
})

test('receiveFiles follows no link that leads out of the folder', async (context) => {
  const { from, to } = await folders(context)
  await writeFile(join(from, 'file'), 'data')
  await mkdir(join(to, 'inside'))
  await symlink(from, join(to, 'out'))
  await symlink('inside', join(to, 'in'))
  await symlink(join(from, 'file'), join(to, 'link'))
  await symlink(join(from, 'made'), join(to, 'dangling'))
  const path = join(from, 'file')
  const names = ['out/evil', 'in/good', 'link', 'dangling', 'out']
  const { sent } = await transfer(
    names.map((name) => ({ path, name })),
    to,
    { receive: { overwrite: true } },
  )
  assert.deepEqual(
    valueOf(sent).files.map(({ name, status, error }) => [name, status, error?.code]),
    [
      ['out/evil', 'refused', 'ERR_TRANSFER_NAME'],
      ['in/good', 'stored', undefined],
      ['link', 'refused', 'ERR_TRANSFER_STORAGE'],
      ['dangling', 'refused', 'ERR_TRANSFER_STORAGE'],
      ['out', 'refused', 'ERR_TRANSFER_STORAGE'],
    ],
  )
  assert.deepEqual(await contentOf(from), { file: 'data' })
  assert.equal(await readFile(join(to, 'inside/good'), 'utf8'), 'data')
})

test('receiveFiles refuses names that leave the folder, and goes on with the next file', async (context) => {
  const { from, to } = await folders(context)
  const path = join(from, 'file')
  await writeFile(path, 'data')
  const { sent } = await transfer(
    ['../evil', '/tmp/evil', 'C:/evil', 'a\0b', 'good'].map((name) => ({ path, name })),
    join(to, 'deep'),
  )
  assert.deepEqual(
    valueOf(sent).files.map(({ status, error }) => [status, error?.code]),
    [...Array.from({ length: 4 }, () => ['refused', 'ERR_TRANSFER_NAME']), ['stored', undefined]],
  )
  assert.deepEqual(await contentOf(to), { deep: '/', 'deep/good': 'data' })
})

for (const [limit, options] of [
  ['maxFiles', { maxFiles: 2 }],
  ['maxBytes', { maxBytes: 8 }],
  ['maxFileBytes', { maxFileBytes: 3 }],
] as const) {
  test(`receiveFiles holds ${limit}`, async (context) => {
    const { from, to } = await folders(context)
    const paths = ['a', 'b', 'c'].map((name) => join(from, name))
    for (const path of paths) await writeFile(path, '1234')
    const { sent, received } = await transfer(paths, to, { receive: options })
    const last = valueOf(sent).files.at(-1)
    assert.deepEqual([last?.status, last?.error?.code], ['refused', 'ERR_TRANSFER_LIMIT'])
    const taken = limit === 'maxFileBytes' ? 0 : 2
    assert.equal(valueOf(received).files.filter(({ status }) => status === 'stored').length, taken)
    const exact = { maxFiles: 3, maxBytes: 12, maxFileBytes: 4 }
    assert.equal(valueOf((await transfer(paths, join(to, 'all'), { receive: exact })).sent).failed, 0)
  })
}

test('receiveFiles takes nothing without the right token', async (context) => {
  const { from, to } = await folders(context)
  await writeFile(join(from, 'a'), 'data')
  for (const token of [undefined, 'wrong']) {
    const send = token === undefined ? {} : { token }
    const { sent, received } = await transfer([join(from, 'a')], to, { receive: { token: 'right' }, send })
    assert.deepEqual([codeOf(sent), codeOf(received)], ['ERR_TRANSFER', 'ERR_TRANSFER'])
  }
  assert.deepEqual(await contentOf(to), {})
  const options = { receive: { token: 'right' }, send: { token: 'right' } }
  assert.equal(valueOf((await transfer([join(from, 'a')], to, options)).sent).failed, 0)
})

test('two senders of one name at once: one wins, the other is told that the file is busy', async (context) => {
  const { from, to } = await folders(context)
  const source = join(from, 'a')
  const data = bytes(2_000_000, 5)
  await writeFile(source, data)
  const runs = await Promise.all([1, 2].map(() => transfer([source], to)))
  const results = runs.map(({ sent }) => valueOf(sent).files[0])
  assert.deepEqual(results.map((result) => result?.status).sort(), ['refused', 'stored'])
  const loser = results.find((result) => result?.status === 'refused')
  assert.deepEqual([loser?.error?.code, loser?.error?.details['reason']], ['ERR_TRANSFER_STORAGE', 'busy'])
  assert.deepEqual(Object.keys(await contentOf(to)), ['a'])
  assert.ok(data.equals(await readFile(join(to, 'a'))))
})

/** A sender that says what it is told to. */
async function liar(to: string, says: readonly (Message | string)[]): Promise<Ending> {
  const { sender, receiver } = await ends()
  const receiving = receiveFiles(receiver, to).finally(() => receiver.destroy())
  for (const message of says)
    await sender.write(typeof message === 'string' ? Buffer.from(message, 'latin1') : encodeMessage(message))
  await sender.closeWrite()
  const [received] = await Promise.allSettled([receiving])
  sender.destroy()
  return received
}

const HELLO: readonly Message[] = [
  { type: 'preamble', version: 1 },
  { type: 'begin', files: 1, bytes: 4, proof: new Uint8Array(0) },
]
const OFFER: Message = {
  type: 'offer',
  id: 1,
  kind: 'file',
  hasDigest: true,
  mode: 0o644,
  size: 4,
  mtimeNs: 0n,
  name: 'a',
}

test('receiveFiles removes a file whose digest is not the one that was announced', async (context) => {
  const { to } = await folders(context)
  const wrong: Message = { type: 'complete', id: 1, digest: new Uint8Array(32) }
  const received = await liar(to, [...HELLO, OFFER, { type: 'data', length: 4 }, 'data', wrong, { type: 'done' }])
  const [file] = valueOf(received).files
  assert.deepEqual([file?.status, file?.error?.code], ['failed', 'ERR_TRANSFER_DIGEST'])
  assert.deepEqual(await contentOf(to), {})
})

test('receiveFiles ends a connection that breaks the protocol, and leaves no lock', async (context) => {
  const { to } = await folders(context)
  const complete: Message = { type: 'complete', id: 1, digest: new Uint8Array(32) }
  const rows: readonly (readonly [says: readonly (Message | string)[], code: string])[] = [
    [['GET / HTTP/1.1\r\n\r\n'], 'ERR_TRANSFER'],
    [['MOORAGE\x02'], 'ERR_TRANSFER'],
    [[], 'ERR_UNEXPECTED_END'],
    [[...HELLO], 'ERR_UNEXPECTED_END'],
    [[...HELLO, { type: 'go', id: 1, offset: 0 }], 'ERR_TRANSFER'],
    [[...HELLO, OFFER, { type: 'data', length: 5 }, 'datas'], 'ERR_TRANSFER'],
    [[...HELLO, OFFER, { type: 'data', length: 3 }, 'dat', complete], 'ERR_TRANSFER'],
    [[...HELLO, OFFER, { type: 'data', length: 4 }, 'da'], 'ERR_UNEXPECTED_END'],
    [[...HELLO, OFFER, OFFER], 'ERR_TRANSFER'],
  ]
  for (const [i, [says, code]] of rows.entries()) {
    assert.equal(codeOf(await liar(join(to, String(i)), says)), code, JSON.stringify(says.at(-1), show))
  }
  const locks = Object.keys(await contentOf(to)).filter((name) => name.endsWith('.lock'))
  assert.deepEqual(locks, [])
})

const show = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

test('sendFiles and receiveFiles give up on a peer that stalls', async (context) => {
  const { from, to } = await folders(context)
  await writeFile(join(from, 'a'), 'data')
  const one = await ends()
  const options = { idleTimeoutMs: 40 }
  await assert.rejects(sendFiles(one.sender, [join(from, 'a')], options), { code: 'ERR_IDLE_TIMEOUT' })
  const other = await ends()
  await assert.rejects(receiveFiles(other.receiver, to, options), { code: 'ERR_IDLE_TIMEOUT' })
  one.receiver.destroy()
  other.sender.destroy()
})

test('sendFiles refuses a path that is not there before anything is sent', async (context) => {
  const { from } = await folders(context)
  const { sender, receiver } = await ends()
  await assert.rejects(sendFiles(sender, [join(from, 'missing')]), { code: 'ERR_ARGUMENT' })
  sender.destroy()
  receiver.destroy()
})
