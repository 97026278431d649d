import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { filesAt } from '#src/static/files.js'
import { ask, bodyOf, fieldOf, statusOf } from './_asking.js'
import { later, temporaryFolder } from './_tree.js'
import { PATH_ROWS } from './rows/paths.js'
import { DATE_MS, PRECONDITION_ROWS } from './rows/preconditions.js'
import { RANGE_ROWS } from './rows/ranges.js'

const TIMEOUT = { timeout: 20_000 }
const base = temporaryFolder()
const root = join(base, 'served')
const SECRET = 'this lies outside'
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const socket = createServer()

async function fill(): Promise<void> {
  const put = (name: string, content: string): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  const link = (target: string, name: string): void => symlinkSync(target, join(root, name))
  put('letters.txt', LETTERS)
  utimesSync(join(root, 'letters.txt'), DATE_MS / 1000, DATE_MS / 1000)
  for (const [, status, file] of PATH_ROWS) if (status === 200 && file !== 'letters.txt') put(file, `bytes of ${file}`)
  for (const name of ['.hidden/file', 'sub/.env', '.well-known/.secret', '..dots.txt', '...']) put(name, SECRET)
  for (const folder of ['outside', 'outside/sub', 'served-beside']) mkdirSync(join(base, folder))
  for (const name of ['secret', 'outside/secret', 'outside/sub/secret', 'served-beside/secret'])
    writeFileSync(join(base, name), SECRET)
  link('letters.txt', 'inner')
  link('inner', 'chain')
  link('sub', 'inner-folder')
  link('../served/letters.txt', 'up-and-back')
  link('../secret', 'outer')
  link('outer', 'outer-chain')
  link('../outside', 'outer-folder')
  link('../served-beside/secret', 'beside')
  link('/', 'slash')
  link('loop', 'loop')
  link('nowhere', 'dangling')
  link('.secret', 'to-hidden')
  link('pipe', 'to-pipe')
  link('/dev/zero', 'zero')
  link('/dev/tty', 'tty')
  link('/proc/self/fd', 'fds')
  assert.equal(spawnSync('mkfifo', [join(root, 'pipe')]).status, 0)
  await new Promise<void>((resolve) => socket.listen(join(root, 'socket'), resolve))
}

suite('files, by tables', () => {
  /** One that reads each file anew, and one that holds what it has read once. */
  const servers: HttpServer[] = []
  before(async () => {
    await fill()
    for (const maxCachedBytes of [0, 1e6])
      servers.push(await serveHttp('http://127.0.0.1:0', filesAt(root, { maxCachedBytes }, later)))
  })
  after(async () => {
    await Promise.all(servers.map((server) => server.close({ graceMs: 100 })))
    socket.close()
  })

  /** From the disk, into memory, and from there. */
  async function thrice(look: (server: HttpServer) => Promise<void>): Promise<void> {
    for (const server of [servers[0], servers[1], servers[1]]) if (server !== undefined) await look(server)
  }

  for (const [target, status, file] of PATH_ROWS) {
    test(
      `GET ${target.length > 60 ? `${target.slice(0, 60)}… (${target.length})` : target} is ${status}`,
      TIMEOUT,
      () =>
        thrice(async (server) => {
          const answer = await ask(server, target)
          assert.equal(statusOf(answer), status)
          assert.ok(!answer.includes(SECRET) && !answer.includes('root:x:'))
          if (status === 200)
            assert.equal(Buffer.from(bodyOf(answer), 'latin1').compare(readFileSync(join(root, file))), 0)
        }),
    )
  }

  for (const [range, status, expected] of RANGE_ROWS) {
    test(`Range: ${range.length > 60 ? `${range.slice(0, 60)}… (${range.length})` : range} is ${status}`, TIMEOUT, () =>
      thrice(async (server) => {
        const answer = await ask(server, '/letters.txt', `Range: ${range}\r\n`)
        assert.equal(statusOf(answer), status)
        assert.equal(fieldOf(answer, 'Content-Length'), String(bodyOf(answer).length))
        const [, boundary] = /^multipart\/byteranges; boundary=(\S+)$/.exec(fieldOf(answer, 'Content-Type') ?? '') ?? []
        if (typeof expected !== 'string') {
          const parts = bodyOf(answer).split(`\r\n--${boundary ?? ''}`)
          const told = parts.slice(1, -1).map((part) => `${fieldOf(part, 'Content-Range') ?? ''} ${bodyOf(part)}`)
          assert.deepEqual([parts[0], told, parts.at(-1)], ['', expected, '--\r\n'])
          return
        }
        assert.equal(boundary, undefined)
        const from = LETTERS.indexOf(expected)
        const content = { 200: undefined, 206: `bytes ${from}-${from + expected.length - 1}/26`, 416: 'bytes */26' }[
          status
        ]
        assert.equal(fieldOf(answer, 'Content-Range'), content)
        if (status !== 416) assert.equal(bodyOf(answer), expected)
      }),
    )
  }

  for (const [fields, status] of PRECONDITION_ROWS) {
    test(`${fields === '' ? 'no condition' : JSON.stringify(fields).slice(0, 90)} is ${status}`, TIMEOUT, () =>
      thrice(async (server) => {
        const tag = fieldOf(await ask(server, '/letters.txt', '', 'HEAD'), 'ETag') ?? ''
        assert.match(tag, /^"[\w-]+"$/)
        const filled = fields.replaceAll('TAG', tag).replaceAll('BARE', tag.slice(1, -1))
        for (const method of ['GET', 'HEAD']) {
          const answer = await ask(server, '/letters.txt', filled, method)
          // A part is given to GET alone (§14.2), and so is If-Range heard.
          const isPart = status === 206 || status === 416
          assert.equal(statusOf(answer), method === 'HEAD' && isPart ? 200 : status, method)
          const body = { 200: LETTERS, 206: 'a', 304: '' }[status]
          if (method === 'HEAD' || body !== undefined) assert.equal(bodyOf(answer), method === 'HEAD' ? '' : body)
          if (status === 304)
            assert.deepEqual([fieldOf(answer, 'ETag'), fieldOf(answer, 'Content-Type')], [tag, undefined])
          if (status === 304) assert.equal(fieldOf(answer, 'Content-Length') ?? '26', '26')
        }
      }),
    )
  }
})
