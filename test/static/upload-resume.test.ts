import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, suite, test } from 'node:test'
import { serveHttp } from '#src/http/server.js'
import { files } from '#src/static/files.js'
import { missing, start, stopAll } from '../cli/_programs.js'
import { BreakingWay, digestOfFile, makeFile, NameWatch, type Cut } from './_cutting.js'

const MIB = 1024 * 1024
const SIZE = 256 * MIB
const TIMEOUT = { timeout: 120_000, skip: missing('curl') }
const WAIT_MS = 60_000

const base = mkdtempSync(join(tmpdir(), 'moorage-resume-'))
const source = join(base, 'big.bin')
const root = join(base, 'root')

interface Answer {
  /** 0 when none came. */
  readonly status: number
  /** Of the last answer, after those before it. */
  field(name: string): string
  /** Of any of them. */
  any(name: string): string
}

/** What curl prints of all answers; an interruption is an answer without status. */
async function curl(...args: readonly string[]): Promise<Answer> {
  const ignored = join(base, 'ignored')
  const program = start('curl', [
    '-sS',
    '--max-time',
    String(WAIT_MS / 1000),
    '-D',
    '-',
    '-o',
    ignored,
    '-w',
    '\nstatus=%{http_code}',
    ...args,
  ])
  await new Promise((resolve) => program.child.once('close', resolve))
  const { out } = program
  const heads = out.slice(0, out.lastIndexOf('\nstatus=')).split(/(?=^HTTP\/1\.1 )/m)
  const find = (text: string, name: string): string => new RegExp(`^${name}: (.*)\r$`, 'im').exec(text)?.[1] ?? ''
  return {
    status: program.child.exitCode === 0 ? Number(/status=(\d+)$/.exec(out)?.[1]) : 0,
    field: (name) => find(heads.at(-1) ?? '', name),
    any: (name) => find(out, name),
  }
}

suite('256 MiB uploaded by curl', () => {
  let digest = ''
  let watch: NameWatch
  before(async () => {
    digest = await makeFile(source, SIZE)
  })
  beforeEach(() => {
    rmSync(root, { recursive: true, force: true })
    mkdirSync(root)
    watch = new NameWatch(root, 'big.bin', [SIZE, 'the old one'.length])
  })
  afterEach(async () => {
    watch.stop()
    await stopAll()
  })
  after(() => rmSync(base, { recursive: true, force: true }))

  const isWhole = async (): Promise<void> => {
    assert.equal(await digestOfFile(join(root, 'big.bin')), digest)
    assert.deepEqual([watch.wrong, watch.looks > 10], [[], true])
  }

  test('resumable: cut five times, twice by kill -9 of the server, it goes on and is equal', TIMEOUT, async () => {
    const kinds: readonly Cut[] = ['connection', 'server', 'connection', 'server', 'connection']
    const cuts = kinds.map((what, i) => ({ what, afterBytes: ((i + 1) * SIZE) / 6 }))
    await using way = disposable(await BreakingWay.open([root, '--upload'], cuts))
    const { url } = way.value
    const creation = ['-X', 'PUT', '-T', source, '-H', 'Upload-Complete: ?1', '-H', `Repr-Digest: sha-256=:${digest}:`]
    let answer = await curl(...creation, `${url}big.bin`)
    assert.equal(answer.status, 0)
    const address = new URL(answer.any('Location'), url).href
    const offsets: number[] = []
    while (answer.status !== 201) {
      assert.ok(!watch.isThere)
      const head = await curl('-I', address)
      if (head.status === 0) continue // Nobody listens yet.
      assert.deepEqual([head.status, head.field('Upload-Length')], [204, String(SIZE)])
      const offset = Number(head.field('Upload-Offset'))
      offsets.push(offset)
      // curl sends what comes from another program: the rest of the file.
      const rest = `tail -c +${offset + 1} '${source}' | curl -sS --max-time ${WAIT_MS / 1000} -X PATCH -T - -H 'Upload-Offset: ${offset}' -H 'Upload-Complete: ?1' -H 'Content-Type: application/partial-upload' -o /dev/null -w '%{http_code}' '${address}'`
      const program = start('sh', ['-c', rest])
      await new Promise((resolve) => program.child.once('close', resolve))
      answer = { ...answer, status: program.child.exitCode === 0 ? Number(program.out) : 0 }
      assert.ok([0, 201].includes(answer.status), `${answer.status}`)
    }
    assert.equal(way.value.made, 5)
    assert.equal(offsets.length, 5)
    // Each time it went on from near to where it was: little was sent twice.
    assert.ok(way.value.sent < SIZE * 1.6, `${way.value.sent} bytes`)
    await isWhole()
  })
  test('by a plain PUT: cut, it leaves the old file whole; whole, it is equal', TIMEOUT, async () => {
    writeFileSync(join(root, 'big.bin'), 'the old one')
    const cuts = [
      { what: 'connection' as const, afterBytes: SIZE / 4 },
      { what: 'server' as const, afterBytes: SIZE / 2 },
    ]
    await using way = disposable(await BreakingWay.open([root, '--upload', '--overwrite'], cuts))
    const statuses: number[] = []
    while (statuses.at(-1) !== 204) {
      assert.equal(readFileSync(join(root, 'big.bin'), 'utf8'), 'the old one')
      statuses.push((await curl('-T', source, '--retry', '5', '--retry-connrefused', `${way.value.url}big.bin`)).status)
    }
    assert.equal(way.value.made, 2)
    await isWhole()
  })
  test('by a form, as a browser without script sends it: cut by kill -9, then whole', TIMEOUT, async () => {
    await using way = disposable(await BreakingWay.open([root, '--upload'], [{ what: 'server', afterBytes: SIZE / 2 }]))
    const form = ['-F', `files=@${source}`, '-F', 'files=@/dev/null;filename=empty.txt', way.value.url]
    assert.equal((await curl(...form)).status, 0)
    assert.ok(!watch.isThere)
    let { status } = await curl(...form)
    while (status === 0) ({ status } = await curl(...form))
    assert.equal(status, 201)
    assert.equal(readFileSync(join(root, 'empty.txt'), 'utf8'), '')
    await isWhole()
  })
  test('under a name that leaves the folder it is refused before it is sent', TIMEOUT, async () => {
    await using way = disposable(await BreakingWay.open([root, '--upload'], []))
    for (const name of ['../up.bin', '..%2fup.bin', '%2e%2e/up.bin', 'a/../../up.bin']) {
      const { status } = await curl('--path-as-is', '-T', source, `${way.value.url}${name}`)
      assert.ok(status === 403 || status === 409, `${name} is ${status}`)
    }
    assert.deepEqual([readdirSync(root), readdirSync(base).includes('up.bin')], [[], false])
    assert.ok(way.value.sent < 64 * MIB)
  })
})

test(
  'a full disk is 507, the old file is whole, and a resumable upload goes on when there is room',
  TIMEOUT,
  async (context) => {
    const disk = mkdtempSync(join(tmpdir(), 'moorage-disk-'))
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk], { encoding: 'utf8' })
    if (mounted.status !== 0) {
      rmSync(disk, { recursive: true })
      context.skip(`no tmpfs may be mounted here: ${mounted.stderr}${mounted.error?.message ?? ''}`)
      return
    }
    try {
      mkdirSync(base, { recursive: true })
      const four = join(base, 'four')
      const digest = await makeFile(four, 4 * MIB)
      writeFileSync(join(disk, 'big.bin'), 'the old one')
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(4 * MIB))
      const upload = { overwrite: true, minFreeBytes: 0 }
      await using server = await serveHttp('http://127.0.0.1:0', files(disk, { upload }))
      const url = `${server.endpoint}/big.bin`
      assert.equal((await curl('-T', four, url)).status, 507)
      const form = await curl('-F', `files=@${four};filename=big.bin`, `${server.endpoint}/`)
      assert.equal(form.status, 507)
      assert.deepEqual(readdirSync(disk).toSorted(), ['ballast', 'big.bin'])
      assert.equal(readFileSync(join(disk, 'big.bin'), 'utf8'), 'the old one')

      const begun = await curl('-T', four, '-H', 'Upload-Complete: ?1', url)
      assert.equal(begun.status, 507)
      assert.equal(readFileSync(join(disk, 'big.bin'), 'utf8'), 'the old one')
      const address = new URL(begun.any('Location'), url).href
      rmSync(join(disk, 'ballast'))
      const offset = Number((await curl('-I', address)).field('Upload-Offset'))
      assert.ok(offset > 0 && offset < 4 * MIB, `${offset}`)
      const rest = join(base, 'rest')
      writeFileSync(rest, readFileSync(four).subarray(offset))
      const fields = [
        '-H',
        `Upload-Offset: ${offset}`,
        '-H',
        'Upload-Complete: ?1',
        '-H',
        'Content-Type: application/partial-upload',
      ]
      assert.equal((await curl('-X', 'PATCH', '--data-binary', `@${rest}`, ...fields, address)).status, 204)
      assert.equal(await digestOfFile(join(disk, 'big.bin')), digest)
    } finally {
      await stopAll()
      spawnSync('umount', ['-l', disk])
      rmSync(disk, { recursive: true, force: true })
      rmSync(base, { recursive: true, force: true })
    }
  },
)

const disposable = (value: BreakingWay): AsyncDisposable & { readonly value: BreakingWay } => ({
  value,
  [Symbol.asyncDispose]: () => value.close(),
})
