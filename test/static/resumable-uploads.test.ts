import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, suite, test } from 'node:test'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { files } from '#src/static/files.js'
import { until, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import { ask, base, content, digestOf, fill, names, root, withUploads, type Answer } from './_uploads.js'

const TIMEOUT = { timeout: 20_000 }

suite('a resumable upload', () => {
  let server: HttpServer
  before(async () => {
    fill()
    server = await serveHttp('http://127.0.0.1:0', files(root, { upload: { minFreeBytes: 0 } }))
  })
  beforeEach(fill)
  after(async () => {
    await server.close({ graceMs: 100 })
    rmSync(base, { recursive: true, force: true })
  })
  const PIECE = { 'Content-Type': 'application/partial-upload' }
  const begin = (to: HttpServer, fields: Readonly<Record<string, string>>, body: string = ''): Promise<Answer> =>
    ask(to, 'PUT', '/sub/big.bin', fields, body)
  const patch = (
    to: HttpServer,
    address: string,
    offset: number,
    isLast: boolean,
    body: string,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    ask(
      to,
      'PATCH',
      address,
      { ...PIECE, 'Upload-Offset': String(offset), 'Upload-Complete': isLast ? '?1' : '?0', ...fields },
      body,
    )

  test('in one request is told its address before, and is stored', TIMEOUT, async () => {
    const answer = await begin(server, { 'Upload-Complete': '?1' }, 'hello')
    assert.match(
      answer.all,
      /^HTTP\/1\.1 104 Upload Resumption Supported\r\nLocation: \/sub\/\.moorage-upload-[\da-f]{32}\r\nUpload-Limit: max-size=\d+, max-age=86400\r\n\r\n/,
    )
    assert.deepEqual([answer.status, answer.field('Upload-Complete'), content('sub/big.bin')], [201, '?1', 'hello'])
  })
  test('in pieces is stored when the last has come, and tells of its offset at any time', TIMEOUT, async () => {
    const made = await begin(server, { 'Upload-Complete': '?0', 'Upload-Length': '9' }, 'abc')
    const address = made.field('Location') ?? ''
    assert.deepEqual([made.status, made.field('Upload-Offset'), made.field('Upload-Complete')], [201, '3', '?0'])
    assert.deepEqual(names('sub').includes('big.bin'), false)
    const told = async (): Promise<readonly unknown[]> => {
      const head = await ask(server, 'HEAD', address)
      const fields = ['Upload-Offset', 'Upload-Complete', 'Upload-Length', 'Cache-Control'].map((name) =>
        head.field(name),
      )
      return [head.status, ...fields]
    }
    assert.deepEqual(await told(), [204, '3', '?0', '9', 'no-store'])
    const second = await patch(server, address, 3, false, 'def')
    assert.deepEqual([second.status, second.field('Upload-Complete')], [204, '?0'])
    assert.deepEqual(await told(), [204, '6', '?0', '9', 'no-store'])
    const wrong = await patch(server, address, 6, true, 'gh')
    assert.deepEqual(
      [wrong.status, wrong.field('Upload-Offset'), wrong.field('Content-Type')],
      [400, undefined, 'application/problem+json'],
    )
    const off = await patch(server, address, 5, false, 'f')
    assert.deepEqual([off.status, off.field('Upload-Offset'), JSON.parse(off.body)['expected-offset']], [409, '6', 6])
    const last = await patch(server, address, 6, true, 'ghi')
    assert.deepEqual([last.status, last.field('Upload-Complete'), content('sub/big.bin')], [201, '?1', 'abcdefghi'])
    assert.deepEqual(await told(), [204, '9', '?1', '9', 'no-store'])
    assert.equal((await patch(server, address, 9, true, '')).status, 400)
    assert.equal((await ask(server, 'DELETE', address)).status, 204)
    assert.equal((await ask(server, 'HEAD', address)).status, 404)
    assert.deepEqual(names('sub'), ['big.bin'])
  })
  test('by POST to a folder is named by its Content-Disposition', TIMEOUT, async () => {
    const fields = { 'Upload-Complete': '?1', 'Content-Disposition': `inline; filename*=UTF-8''%C3%BC.txt` }
    assert.equal((await ask(server, 'POST', '/sub/', fields, 'x')).status, 201)
    assert.equal(content('sub/ü.txt'), 'x')
    assert.equal((await ask(server, 'POST', '/sub/', { 'Upload-Complete': '?1' }, 'x')).status, 400)
    const hidden = { ...fields, 'Content-Disposition': 'inline; filename=".x"' }
    assert.equal((await ask(server, 'POST', '/sub/', hidden, 'x')).status, 403)
  })
  test('that is cut keeps what came, and goes on under another server', TIMEOUT, async () => {
    const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
    await connection.write('PUT /sub/big.bin HTTP/1.1\r\nHost: a\r\nUpload-Complete: ?1\r\nContent-Length: 9\r\n\r\n')
    const before = Buffer.from(await within('the address', connection.readUntil('\r\n\r\n'))).toString()
    const address = /Location: (\S+)/.exec(before)?.[1] ?? ''
    await connection.write('abcd')
    await until('what came', () =>
      names('sub').some((name) => name.endsWith('.part') && statSync(join(root, 'sub', name)).size === 4),
    )
    connection.destroy()
    await withUploads({ minFreeBytes: 0 }, async (other) => {
      const head = await ask(other, 'HEAD', address)
      assert.deepEqual([head.status, head.field('Upload-Offset'), head.field('Upload-Length')], [204, '4', '9'])
      assert.equal((await patch(other, address, 4, true, 'efghi')).status, 201)
    })
    assert.equal(content('sub/big.bin'), 'abcdefghi')
  })
  test('that another request goes on with takes it over from the one that hangs', TIMEOUT, async () => {
    const hanging = await connect(server.endpoint.replace('http:', 'tcp:'))
    await hanging.write('PUT /sub/big.bin HTTP/1.1\r\nHost: a\r\nUpload-Complete: ?1\r\nContent-Length: 9\r\n\r\nabcd')
    const before = Buffer.from(await within('the address', hanging.readUntil('\r\n\r\n'))).toString()
    const address = /Location: (\S+)/.exec(before)?.[1] ?? ''
    await until('what came', () =>
      names('sub').some((name) => name.endsWith('.part') && statSync(join(root, 'sub', name)).size === 4),
    )
    const head = await ask(server, 'HEAD', address)
    assert.equal(head.field('Upload-Offset'), '4')
    await hanging.write('later').catch(() => undefined)
    assert.equal((await patch(server, address, 4, true, 'efghi')).status, 201)
    assert.equal(content('sub/big.bin'), 'abcdefghi')
    hanging.destroy()
  })
  test('with a digest is stored only when it is right', TIMEOUT, async () => {
    for (const [digest, status] of [
      [digestOf('abcdef'), 201],
      [digestOf('abcdeX'), 400],
    ] as const) {
      fill()
      const made = await begin(server, { 'Upload-Complete': '?0', 'Repr-Digest': digest }, 'abc')
      const last = await patch(server, made.field('Location') ?? '', 3, true, 'def')
      assert.deepEqual([last.status, last.field('Upload-Complete')], [status, '?1'])
      assert.deepEqual(names('sub').includes('big.bin'), status === 201)
      assert.equal(
        names('sub').some((name) => name.endsWith('.part')),
        false,
      )
    }
  })
  test('is refused what contradicts itself, is too long, or is no piece', TIMEOUT, async () => {
    const made = await begin(server, { 'Upload-Complete': '?0', 'Upload-Length': '5' }, 'abc')
    const address = made.field('Location') ?? ''
    const rows: readonly (readonly [status: number, answer: Answer])[] = [
      [400, await begin(server, { 'Upload-Complete': '?1', 'Upload-Length': '5' }, 'abc')],
      [413, await begin(server, { 'Upload-Complete': '?0', 'Upload-Length': String(2 ** 40) })],
      [409, await ask(server, 'PUT', '/old.txt', { 'Upload-Complete': '?0' })],
      [415, await ask(server, 'PATCH', address, { 'Upload-Offset': '3', 'Upload-Complete': '?0' }, 'x')],
      [400, await ask(server, 'PATCH', address, { ...PIECE, 'Upload-Complete': '?0' }, 'x')],
      [400, await ask(server, 'PATCH', address, { ...PIECE, 'Upload-Offset': '3', 'Upload-Complete': 'yes' }, 'x')],
      [400, await patch(server, address, 3, true, 'x')],
      [400, await patch(server, address, 3, true, '')],
      [405, await ask(server, 'PUT', address, {}, 'x')],
      [405, await ask(server, 'GET', address)],
      [404, await ask(server, 'HEAD', '/sub/.moorage-upload-00000000000000000000000000000000')],
      [409, await ask(server, 'HEAD', '/outer/.moorage-upload-00000000000000000000000000000000')],
      [403, await ask(server, 'DELETE', address, { Origin: 'http://evil.example' })],
      [400, await patch(server, address, 3, false, 'xyz')],
      [404, await ask(server, 'HEAD', address)],
    ]
    for (const [i, [status, answer]] of rows.entries()) assert.equal(answer.status, status, `row ${i}: ${answer.all}`)
    assert.deepEqual([names('sub'), content('old.txt')], [[], 'the old one'])
  })
  test('waits with no more than so many others, and no longer than its age', TIMEOUT, async () => {
    await withUploads({ maxPartials: 2, partialAgeMs: 60_000, minFreeBytes: 0 }, async (other) => {
      const first = await begin(other, { 'Upload-Complete': '?0' }, 'a')
      await begin(other, { 'Upload-Complete': '?0' }, 'b')
      assert.equal((await begin(other, { 'Upload-Complete': '?0' }, 'c')).status, 503)
      const id = (first.field('Location') ?? '').slice('/sub/'.length)
      for (const name of names('sub')) if (name.startsWith(id)) utimesSync(join(root, 'sub', name), 1, 1)
      assert.equal((await begin(other, { 'Upload-Complete': '?0' }, 'c')).status, 201)
      assert.equal((await ask(other, 'HEAD', first.field('Location') ?? '')).status, 404)
    })
  })
  test(
    'that another process is receiving is waited for, then 503; of one that is gone it is taken',
    TIMEOUT,
    async () => {
      const made = await begin(server, { 'Upload-Complete': '?0' }, 'abc')
      const address = made.field('Location') ?? ''
      const other = spawn('sleep', ['60'])
      try {
        const fields = readFileSync(`/proc/${other.pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
        writeFileSync(join(root, `${address}.lock`), `${other.pid} ${fields[19]}`)
        const busy = await ask(server, 'HEAD', address)
        assert.deepEqual([busy.status, busy.field('Retry-After')], [503, '1'])
      } finally {
        other.kill('SIGKILL')
        await once(other, 'close')
      }
      assert.equal((await ask(server, 'HEAD', address)).status, 204)
    },
  )
  test('leaves nothing of a process that was killed long ago, once something comes', TIMEOUT, async () => {
    const id = '0'.repeat(32)
    await withUploads({ partialAgeMs: 60_000, minFreeBytes: 0 }, async (other) => {
      for (const ending of ['.part', '.json', '.json.new', '.lock', '.lock.1.1']) {
        const path = join(root, 'sub', `.moorage-upload-${id}${ending}`)
        writeFileSync(path, '')
        utimesSync(path, 1, 1)
      }
      const young = join(root, 'sub', `.moorage-upload-${'1'.repeat(32)}.part`)
      writeFileSync(young, '')
      assert.equal((await ask(other, 'PUT', '/sub/a', {}, 'x')).status, 201)
      assert.deepEqual(names('sub'), [`.moorage-upload-${'1'.repeat(32)}.part`, 'a'])
    })
  })
  test(
    'is finished by the next request when the process ended between its last byte and its name',
    TIMEOUT,
    async () => {
      await withUploads({ overwrite: true, minFreeBytes: 0 }, async (other) => {
        // Before the rename, behind it, and between the two halves of one that replaces nothing.
        for (const how of ['before', 'behind', 'between']) {
          const made = await begin(other, { 'Upload-Complete': '?0', 'Upload-Length': '3' }, 'abc')
          const address = made.field('Location') ?? ''
          const hidden = join(root, address)
          const state = JSON.parse(readFileSync(`${hidden}.json`, 'utf8')) as object
          writeFileSync(`${hidden}.json`, JSON.stringify({ ...state, stage: 'finishing' }))
          if (how === 'behind') renameSync(`${hidden}.part`, join(root, 'sub/big.bin'))
          if (how === 'between') {
            rmSync(join(root, 'sub/big.bin'))
            linkSync(`${hidden}.part`, join(root, 'sub/big.bin'))
          }
          const head = await ask(other, 'HEAD', address)
          const isComplete = how === 'before' ? '?0' : '?1'
          assert.deepEqual([head.field('Upload-Offset'), head.field('Upload-Complete')], ['3', isComplete])
          if (how === 'before') assert.equal((await patch(other, address, 3, true, '')).status, 201)
          assert.ok(!existsSync(`${hidden}.part`))
        }
        assert.equal(content('sub/big.bin'), 'abc')
      })
    },
  )
})
