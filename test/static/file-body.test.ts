import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCodeOf } from '#src/base/errors.js'
import type { Logger } from '#src/base/logger.js'
import { serveHttp } from '#src/http/server.js'
import { FileBody } from '#src/static/file-body.js'
import { files } from '#src/static/files.js'
import { until, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import { temporaryFolder } from './_tree.js'

const TIMEOUT = { timeout: 30_000 }
const root = temporaryFolder()
/** More than the buffers of the system hold, so that some of it must wait here; no two parts are alike. */
const MIB = 1024 * 1024
const large = Buffer.alloc(48 * MIB)
for (let at = 0; at < large.length; at += 4) large.writeUInt32LE(at, at)
writeFileSync(join(root, 'large'), large)
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const descriptors = (): number => readdirSync('/proc/self/fd').length

for (const writeHighWaterBytes of [1, 64 * 1024, 32 * MIB]) {
  test(
    `a slow client gets every byte as it is, with a high-water mark of ${writeHighWaterBytes}`,
    TIMEOUT,
    async () => {
      const server = await serveHttp('http://127.0.0.1:0', files(root), { writeHighWaterBytes })
      try {
        const client = await connect(server.endpoint.replace('http:', 'tcp:'))
        await client.write('GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
        const parts: Uint8Array[] = []
        for await (const part of client) {
          parts.push(part)
          // Others have their turns: the server fills what it may.
          for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
        }
        const whole = Buffer.concat(parts)
        assert.equal(sha(whole.subarray(whole.indexOf('\r\n\r\n') + 4)), sha(large))
      } finally {
        await server.close({ graceMs: 100 })
      }
    },
  )
}
test('what waits to be sent is left alone, and what was sent is used again', TIMEOUT, async () => {
  const file = await open(join(root, 'large'))
  let isSent = false
  const body = new FileBody(file, [{ start: 0, end: 4 * MIB }], () => isSent)
  const next = async (): Promise<Uint8Array> => (await body.next()).value ?? new Uint8Array()
  const [first, second] = [await next(), await next()]
  assert.notEqual(first.buffer, second.buffer)
  assert.equal(sha(first), sha(large.subarray(0, first.length)))
  isSent = true
  const sizes: number[] = []
  for (let part = await next(); part.length > 0; part = await next()) sizes.push(part.length)
  assert.ok(
    Math.max(...sizes) === 512 * 1024 && sizes.every((size, i) => i === sizes.length - 1 || size >= first.length),
  )
  assert.equal(
    sizes.reduce((sum, size) => sum + size, first.length + second.length),
    4 * MIB,
  )
})
test(
  'a file that becomes shorter while it is sent breaks its connection, and the log has it once',
  TIMEOUT,
  async () => {
    const before = descriptors()
    const path = join(root, 'shrinking')
    writeFileSync(path, large)
    const told: unknown[] = []
    const ignore = (): void => undefined
    const logger: Logger = {
      debug: ignore,
      info: ignore,
      warn: (_message, fields) => told.push(fields?.['error']),
      error: (_message, fields) => told.push(fields?.['error']),
    }
    const server = await serveHttp('http://127.0.0.1:0', files(root), { logger })
    try {
      const client = await connect(server.endpoint.replace('http:', 'tcp:'))
      await client.write('GET /shrinking HTTP/1.1\r\nHost: a\r\n\r\n')
      let received = (await client.read({ maxBytes: 1000 }))?.length ?? 0
      truncateSync(path, 1000)
      await within(
        'the end',
        (async () => {
          for await (const part of client) received += part.length
        })().catch(ignore),
      )
      assert.ok(received < large.length)
      await until('a word of it', () => told.length > 0)
      await client.close()
    } finally {
      await server.close({ graceMs: 100 })
    }
    assert.deepEqual(told.map(errorCodeOf), ['ERR_FILE_READ'])
    await until('the descriptors to be closed', () => descriptors() <= before)
  },
)
test('a file is closed at the end, when it is left, and when it has become shorter', TIMEOUT, async () => {
  const before = descriptors()
  const whole = new FileBody(
    await open(join(root, 'large')),
    [{ start: 5, end: 6 }, Buffer.from('between')],
    () => true,
  )
  const parts: string[] = []
  for await (const part of whole) parts.push(Buffer.from(part).toString('latin1'))
  assert.deepEqual(parts, [String.fromCharCode(large[5] ?? 0), 'between'])
  const left = new FileBody(await open(join(root, 'large')), [{ start: 0, end: 1 }], () => true)
  await left.return()
  assert.equal((await left.next()).done, true)
  writeFileSync(join(root, 'short'), 'abc')
  const short = new FileBody(await open(join(root, 'short')), [{ start: 0, end: 3 }], () => true)
  truncateSync(join(root, 'short'), 0)
  await assert.rejects(within('the end', short.next()), { code: 'ERR_FILE_READ' })
  assert.equal(descriptors(), before)
})
