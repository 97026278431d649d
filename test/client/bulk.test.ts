import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TimeoutError } from '#src/base/errors.js'
import { Session } from '#src/client/session.js'
import { serveHttp } from '#src/http/server.js'
import { stream, text } from '#src/http/index.js'
import { files } from '#src/static/index.js'
import { until, within } from '#src/testing/contract-row.js'
import { Program } from '../fixtures/program.js'
import { cutting } from './_cutting-server.js'
import { serving } from './_servers.js'

const GIB = 1024 ** 3
const SIZE = 4 * GIB
const MAX_KIB = 150 * 1024
const bulkClient = fileURLToPath(new URL('_bulk-client.js', import.meta.url))
const moorage = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bulk-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Bytes at places of chance, in the first and the last of them: [place, bytes]. */
async function sparseFile(path: string): Promise<readonly (readonly [number, Buffer])[]> {
  const places = [0, SIZE - 16, ...Array.from({ length: 62 }, () => randomInt(SIZE - 16))]
  const marks = places.map((place) => [place, randomBytes(16)] as const).toSorted(([a], [b]) => a - b)
  const apart = marks.filter(([place], i) => i === 0 || place >= (marks[i - 1]?.[0] ?? 0) + 16)
  const file = await open(path, 'w')
  await file.truncate(SIZE)
  for (const [place, bytes] of apart) await file.write(bytes, 0, 16, place)
  await file.close()
  return apart
}

const tookKib = (program: Program): Promise<number> => program.printed(/^took (\d+)/m).then(Number)

/** Another process with a disk of 2 MiB, where that may be had. */
const SMALL_DISK = [
  '-rm',
  'sh',
  '-c',
  'mkdir -p "$0" && mount -t tmpfs -o size=2m none "$0" && cd "$0" && shift 0 && exec "$@"',
]
const hasSmallDisk = spawnSync('unshare', [...SMALL_DISK, join(tmpdir(), 'moorage-small'), 'true']).status === 0

void suite('large bodies', () => {
  void test(
    'a sparse file of 4 GiB comes down whole, in less than 150 MB of memory',
    { timeout: 240_000 },
    async (t) => {
      const folder = await folderOf(t)
      const marks = await sparseFile(join(folder, 'source'))
      await using server = await serveHttp('http://127.0.0.1:0', files(folder))
      const target = join(folder, 'target')
      const program = new Program(t, process.execPath, [bulkClient, 'download', `${server.endpoint}/source`, target])
      const { code } = await within('the download', program.exited, 200_000)
      assert.equal(code, 0, program.stderr)
      const file = await open(target)
      try {
        assert.equal((await file.stat()).size, SIZE)
        for (const [place, bytes] of marks) {
          const { buffer } = await file.read(Buffer.alloc(16), 0, 16, place)
          assert.ok(buffer.equals(bytes), `at ${place}`)
        }
      } finally {
        await file.close()
      }
      const kib = await tookKib(program)
      assert.ok(kib < MAX_KIB, `${kib} KiB`)
      t.diagnostic(`${Math.round(kib / 1024)} MiB`)
    },
  )

  void test(
    'a sparse file of 4 GiB goes up in a form whole, in less than 150 MB of memory',
    { timeout: 240_000 },
    async (t) => {
      const folder = await folderOf(t)
      const source = join(folder, 'source')
      const marks = await sparseFile(source)
      let count = 0
      let found = 0
      await using server = await serveHttp(
        'http://127.0.0.1:0',
        async ({ body }) => {
          let begin = -1
          for await (const bytes of body ?? []) {
            // The file begins behind the fields of its part; a mark within one piece is looked at.
            if (begin === -1) begin = Buffer.from(bytes).indexOf('\r\n\r\n') + 4
            for (const [place, mark] of marks) {
              const at = place + begin - count
              if (at >= 0 && at + 16 <= bytes.length && mark.equals(bytes.subarray(at, at + 16))) found += 1
            }
            count += bytes.length
          }
          return text('')
        },
        { maxBodyBytes: Infinity },
      )
      const program = new Program(t, process.execPath, [bulkClient, 'upload', server.endpoint, source])
      const { code } = await within('the upload', program.exited, 200_000)
      assert.equal(code, 0, program.stderr)
      assert.ok(count > SIZE && count < SIZE + 1000, `${count} bytes`)
      assert.ok(found >= marks.length - 4, `${found} of ${marks.length} marks`)
      const kib = await tookKib(program)
      assert.ok(kib < MAX_KIB, `${kib} KiB`)
      t.diagnostic(`${Math.round(kib / 1024)} MiB`)
    },
  )

  void test('64 MiB that the system writes itself are whole behind twenty cuts, and less than a hundredth comes twice', async (t) => {
    const content = randomBytes(64 * 1024 * 1024)
    const served = await cutting(t, { content, cut: (count) => (count <= 20 ? randomInt(1, 3_000_000) : Infinity) })
    const path = join(await folderOf(t), 'file')
    await using session = new Session({ proxy: false, retries: 0 })
    const { breaks, bytes } = await session.download(served.url, path)
    assert.equal(bytes, content.length)
    assert.equal(breaks, 20)
    const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')
    assert.equal(sha256(await readFile(path)), sha256(content))
    const twice = served.sent - content.length
    assert.ok(twice < content.length / 100, `${twice} bytes came twice`)
    t.diagnostic(`sent twice: ${((100 * twice) / content.length).toFixed(3)} %`)
  })

  void test('a disk that is full keeps what stood under the name: short bodies, long ones, and saveTo', async (t) => {
    const folder = await folderOf(t)
    for (const bytes of [1000, 300_000, 32 * 1024 * 1024]) {
      const served = await cutting(t, { content: randomBytes(bytes) })
      const path = join(folder, `file-${bytes}`)
      await writeFile(path, 'before')
      await symlink('/dev/full', `${path}.part`)
      await using session = new Session({ proxy: false, retries: 0 })
      await assert.rejects(session.download(served.url, path, { resume: false }), { code: 'ENOSPC' })
      assert.equal(await readFile(path, 'utf8'), 'before')
    }
  })

  void test(
    'the command on a full disk says so in a line, and leaves what stood there',
    { skip: hasSmallDisk ? false : 'this machine gives no process a disk of its own' },
    async (t) => {
      const served = await cutting(t, { content: randomBytes(16 * 1024 * 1024) })
      const place = join(await folderOf(t), 'small')
      const script = `echo before > file && "$@"; echo "exit $?"; cat file; ls`
      const words = ['sh', '-c', script, 'sh', process.execPath, moorage, 'get', '-o', 'file', served.url]
      const program = new Program(t, 'unshare', [...SMALL_DISK, place, ...words])
      await within('its end', program.exited)
      assert.match(program.stdout, /exit 1\nbefore\n/)
      assert.match(program.stderr, /Cannot write "file": the disk is full \(ENOSPC\); make room/)
      assert.equal(program.stderr.trim().split('\n').length, 1, program.stderr)
    },
  )

  void test('ten kill -9 at bytes of chance never show a broken file, and what was there is not fetched again', async (t) => {
    const content = randomBytes(16 * 1024 * 1024)
    let kills = 0
    const served = await cutting(t, {
      content,
      cut: () => (kills < 10 ? randomInt(700_000, 3_000_000) : Infinity),
      stalled: () => undefined,
    })
    const folder = await folderOf(t)
    const path = join(folder, 'file')
    await writeFile(path, 'before')
    const sizeOfPart = (): number => (existsSync(`${path}.part`) ? statSync(`${path}.part`).size : 0)
    for (; kills < 10; kills += 1) {
      const program = new Program(t, process.execPath, [moorage, 'get', '-q', '-o', path, served.url])
      const [before, more] = [sizeOfPart(), randomInt(1, 500_000)]
      await until('some of it is there', () => sizeOfPart() >= before + more)
      await program.stop('SIGKILL')
      assert.equal(await readFile(path, 'utf8'), 'before')
    }
    const last = new Program(t, process.execPath, [moorage, 'get', '-q', '-o', path, served.url])
    assert.deepEqual(await within('its end', last.exited), { code: 0, signal: null }, last.stderr)
    assert.ok(content.equals(await readFile(path)))
    assert.deepEqual(await readdir(folder), ['file'])
    assert.ok(served.ranges.some((range) => range !== undefined && range[0] > 0))
  })

  void test('saveTo writes a decoded body whole, or leaves nothing', async (t) => {
    const folder = await folderOf(t)
    const content = randomBytes(5_000_000)
    const served = await cutting(t, { content, cut: (count) => (count === 2 ? 1_000_000 : Infinity) })
    await using session = new Session({ proxy: false, retries: 0 })
    const path = join(folder, 'saved')
    assert.equal(await (await session.get(served.url)).saveTo(path), content.length)
    assert.ok(content.equals(await readFile(path)))
    await assert.rejects((await session.get(served.url)).saveTo(join(folder, 'cut')))
    assert.ok(!existsSync(join(folder, 'cut')))
    assert.deepEqual(await readdir(folder), ['saved'])
  })

  void test('a download may take longer than the timeoutMs of its session; with one of its own it may not', async (t) => {
    const folder = await folderOf(t)
    const url = await serving(t, () => {
      const began = performance.now()
      return stream(
        (async function* () {
          yield 'first'
          while (performance.now() - began < 600) await new Promise((resolve) => setImmediate(resolve))
          yield ' and last'
        })(),
      )
    })
    await using session = new Session({ proxy: false, retries: 0, timeoutMs: 200 })
    await assert.rejects(async () => (await session.get(url)).text(), TimeoutError)
    assert.equal((await session.download(url, join(folder, 'file'))).bytes, 14)
    await assert.rejects(session.download(url, join(folder, 'other'), { timeoutMs: 200 }), TimeoutError)
    assert.deepEqual(
      (await readdir(folder)).filter((name) => !name.endsWith('.part')),
      ['file'],
    )
  })
})
