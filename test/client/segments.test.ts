import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { BodyError } from '#src/client/errors.js'
import { Session } from '#src/client/session.js'
import { until } from '#src/testing/contract-row.js'
import { Program } from '../fixtures/program.js'
import { cutting } from './_cutting-server.js'

const CONTENT = randomBytes(16 * 1024 * 1024)
const SHA256 = createHash('sha256').update(CONTENT).digest('base64')

async function place(
  t: TestContext,
): Promise<{ readonly folder: string; readonly path: string; readonly session: Session }> {
  const folder = await mkdtemp(join(tmpdir(), 'segments-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const session = new Session({ proxy: false, retries: 0 })
  t.after(() => session.destroy())
  return { folder, path: join(folder, 'file'), session }
}

void suite('downloads by several connections', () => {
  void test('each fetches its part, and together they are the file', async (t) => {
    const served = await cutting(t, { content: CONTENT })
    const { folder, path, session } = await place(t)
    const told: number[] = []
    const report = await session.download(served.url, path, {
      segments: 4,
      digest: `sha-256=${SHA256}`,
      onProgress: ({ received }) => told.push(received),
    })
    assert.equal(report.bytes, CONTENT.length)
    assert.equal(report.isChecked, true)
    assert.ok(CONTENT.equals(await readFile(path)))
    assert.equal(served.ranges.length, 4)
    assert.equal(served.sent, CONTENT.length)
    assert.equal(told.at(-1), CONTENT.length)
    assert.deepEqual(await readdir(folder), ['file'])
  })

  void test('what is cut goes on, and little comes twice', async (t) => {
    const served = await cutting(t, {
      content: CONTENT,
      cut: (count) => (count <= 20 ? randomInt(1, 500_000) : Infinity),
    })
    const { path, session } = await place(t)
    const report = await session.download(served.url, path, { segments: 3 })
    assert.equal(report.breaks, 20)
    assert.ok(CONTENT.equals(await readFile(path)))
    assert.ok(served.sent < CONTENT.length * 1.01, `${served.sent - CONTENT.length} bytes came twice`)
  })

  void test('the next call goes on with what one left, also when it was killed in between', async (t) => {
    let isBroken = true
    const served = await cutting(t, { content: CONTENT, cut: () => (isBroken ? 2_000_000 : Infinity) })
    const { path, session } = await place(t)
    await assert.rejects(
      session.download(served.url, path, { segments: 2, attempts: 1, signal: AbortSignal.timeout(1) }),
    )
    const controller = new AbortController()
    const first = session.download(served.url, path, {
      segments: 2,
      signal: controller.signal,
      onProgress: ({ received }) => received > 6_000_000 && controller.abort(new Error('enough')),
    })
    await assert.rejects(first, /enough/)
    isBroken = false
    const before = served.sent
    const report = await session.download(served.url, path, { segments: 2 })
    assert.ok(report.resumed > 4_000_000, `${report.resumed}`)
    assert.ok(CONTENT.equals(await readFile(path)))
    assert.equal(served.sent - before, CONTENT.length - report.resumed)
  })

  void test('a server without ranges, and a file that is short, are fetched by one', async (t) => {
    const without = await cutting(t, { content: CONTENT, hasRanges: false })
    const { path, session } = await place(t)
    await session.download(without.url, path, { segments: 4 })
    assert.ok(CONTENT.equals(await readFile(path)))
    assert.deepEqual(without.ranges, [undefined])
    const short = await cutting(t, { content: CONTENT.subarray(0, 2 * 1024 * 1024 - 1) })
    await session.download(short.url, path, { segments: 4 })
    assert.deepEqual(short.ranges, [undefined])
  })

  void test('a digest that does not match leaves what stood there', async (t) => {
    const served = await cutting(t, { content: CONTENT })
    const { folder, path, session } = await place(t)
    await writeFile(path, 'before')
    const digest = `sha-256=${randomBytes(32).toString('base64')}`
    await assert.rejects(session.download(served.url, path, { segments: 4, digest }), BodyError)
    assert.equal(await readFile(path, 'utf8'), 'before')
    assert.deepEqual(await readdir(folder), ['file'])
  })

  void test('kill -9 in the middle leaves no hole: what is noted is in the file', async (t) => {
    let isSlow = true
    const served = await cutting(t, {
      content: CONTENT,
      cut: () => (isSlow ? randomInt(1_100_000, 1_800_000) : Infinity),
      stalled: () => undefined,
    })
    const { path, session } = await place(t)
    const script = `import { Session } from 'moorage/client'
      await new Session({ proxy: false }).download(process.argv[1], process.argv[2], { segments: 4 })`
    for (let i = 0; i < 3; i += 1) {
      const program = new Program(t, process.execPath, ['--input-type=module', '-e', script, served.url, path])
      const blocks = existsSync(`${path}.part`) ? statSync(`${path}.part`).blocks : 0
      await until('more is there', () => existsSync(`${path}.part`) && statSync(`${path}.part`).blocks > blocks + 1000)
      await program.stop('SIGKILL')
    }
    isSlow = false
    await session.download(served.url, path, { segments: 4 })
    assert.ok(CONTENT.equals(await readFile(path)))
  })
})
