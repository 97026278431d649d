import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { UsageError } from '#src/base/errors.js'
import { BodyError, StatusError } from '#src/client/errors.js'
import { Session } from '#src/client/session.js'

const CONTENT = randomBytes(4 * 1024 * 1024)
const SHA256 = createHash('sha256').update(CONTENT).digest('base64')

interface Served {
  readonly url: string
  /** Bytes of bodies that were sent. */
  sent: number
  requests: string[]
  content: Buffer
  etag: string
}

/** A server of one file that ends each connection behind so many bytes of a body: those that `cut` says, one by one. */
async function serving(
  t: TestContext,
  cut: () => number = () => Infinity,
  more = '',
  ignoresIfRange = false,
): Promise<Served> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    let head = ''
    socket.on('data', (bytes) => {
      head += String(bytes)
      if (!head.endsWith('\r\n\r\n')) return
      const { content, etag } = served
      served.requests.push(head)
      const [, from] = /\r\nRange: bytes=(\d+)-/i.exec(head) ?? []
      const isSame = ignoresIfRange || head.includes(`If-Range: ${etag}`)
      const start = from === undefined || !isSame ? 0 : Number(from)
      head = ''
      if (start >= content.length) {
        socket.write(
          `HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */${content.length}\r\nContent-Length: 0\r\n\r\n`,
        )
        return
      }
      const status =
        start === 0
          ? '200 OK'
          : `206 Partial Content\r\nContent-Range: bytes ${start}-${content.length - 1}/${content.length}`
      socket.write(`HTTP/1.1 ${status}\r\nETag: ${etag}\r\n${more}Content-Length: ${content.length - start}\r\n\r\n`)
      const body = content.subarray(start, start + cut())
      served.sent += body.length
      if (body.length === content.length - start) socket.write(body)
      else socket.end(body)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const served: Served = {
    url: `http://127.0.0.1:${port}/file`,
    sent: 0,
    requests: [],
    content: CONTENT,
    etag: '"one"',
  }
  return served
}

async function place(
  t: TestContext,
): Promise<{ readonly folder: string; readonly path: string; readonly session: Session }> {
  const folder = await mkdtemp(join(tmpdir(), 'download-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const session = new Session({ proxy: false, retries: 0 })
  t.after(() => session.destroy())
  return { folder, path: join(folder, 'file'), session }
}

void suite('Session.download', () => {
  void test('one that is cut twenty times is whole, and less than a hundredth comes twice', async (t) => {
    let cuts = 0
    const served = await serving(t, () => ((cuts += 1) <= 20 ? Math.floor(Math.random() * 200_000) + 1 : Infinity))
    const { folder, path, session } = await place(t)
    const report = await session.download(served.url, path, { digest: `sha-256=${SHA256}` })
    assert.ok(CONTENT.equals(await readFile(path)))
    assert.equal(report.breaks, 20)
    assert.equal(report.isChecked, true)
    assert.ok(served.sent - CONTENT.length < CONTENT.length / 100, `${served.sent - CONTENT.length} bytes came twice`)
    assert.deepEqual(await readdir(folder), ['file'])
  })

  void test('what one call left, the next goes on with; a file that is another now begins anew', async (t) => {
    let isBroken = true
    let count = 0
    // A piece, and then nothing any more.
    const served = await serving(t, () => (!isBroken ? Infinity : (count += 1) % 2 === 1 ? 1_000_000 : 0))
    const { path, session } = await place(t)
    await assert.rejects(session.download(served.url, path, { attempts: 1 }))
    assert.ok(!(await readFile(`${path}.part.json`, 'utf8')).includes('127.0.0.1'), 'a URL can have a password')
    isBroken = false
    served.requests = []
    const report = await session.download(served.url, path)
    assert.ok(report.resumed > 0 && CONTENT.equals(await readFile(path)))
    assert.match(served.requests[0] ?? '', /Range: bytes=\d+-/)

    isBroken = true
    const other = join(path, '..', 'other')
    await assert.rejects(session.download(served.url, other, { attempts: 1 }))
    isBroken = false
    served.content = randomBytes(3_000_000)
    served.etag = '"two"'
    const anew = await session.download(served.url, other)
    assert.equal(anew.bytes, 3_000_000)
    assert.ok(served.content.equals(await readFile(other)))
  })

  void test('a digest that does not match leaves nothing under the name, and keeps what stood there', async (t) => {
    const served = await serving(t, undefined, `Repr-Digest: sha-256=:${randomBytes(32).toString('base64')}:\r\n`)
    const { folder, path, session } = await place(t)
    await writeFile(path, 'before')
    await assert.rejects(session.download(served.url, path), BodyError)
    assert.equal(await readFile(path, 'utf8'), 'before')
    assert.deepEqual(await readdir(folder), ['file'])
    await assert.rejects(session.download(served.url, path, { digest: 'sha-256=short' }), UsageError)
    const report = await session.download(served.url, path, { digest: `sha-256=${SHA256}` })
    assert.equal(report.bytes, CONTENT.length)
  })

  void test('a status from 400 up, and a disk that does not take it, leave nothing under the name', async (t) => {
    const served = await serving(t)
    const { folder, session } = await place(t)
    const missing = join(folder, 'no', 'such', 'folder')
    await assert.rejects(session.download(served.url, missing), { code: 'ENOENT' })
    served.content = Buffer.alloc(0)
    await assert.rejects(session.download(served.url, join(folder, 'x')), StatusError)
    assert.deepEqual(await readdir(folder), [])
  })

  void test('progress is told in bytes, up to all of them', async (t) => {
    const served = await serving(t)
    const { path, session } = await place(t)
    const told: number[] = []
    await session.download(served.url, path, {
      onProgress: ({ received, total }) => {
        assert.equal(total, CONTENT.length)
        told.push(received)
      },
    })
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    )
    assert.equal(told.at(-1), CONTENT.length)
  })

  void test('a part of another version is not joined: it begins anew', async (t) => {
    let isBroken = true
    let count = 0
    const served = await serving(t, () => (!isBroken ? Infinity : (count += 1) === 1 ? 1_000_000 : 0), '', true)
    const { path, session } = await place(t)
    await assert.rejects(session.download(served.url, path, { attempts: 1 }))
    isBroken = false
    served.content = randomBytes(CONTENT.length)
    served.etag = '"two"'
    await session.download(served.url, path)
    assert.ok(served.content.equals(await readFile(path)))
  })

  void test('a link stays and what it leads to is replaced, with its mode; a device is written to', async (t) => {
    const served = await serving(t)
    const { folder, path, session } = await place(t)
    await writeFile(path, 'before', { mode: 0o750 })
    await symlink(path, join(folder, 'link'))
    await session.download(served.url, join(folder, 'link'))
    assert.ok((await lstat(join(folder, 'link'))).isSymbolicLink())
    assert.ok(CONTENT.equals(await readFile(path)))
    assert.equal((await stat(path)).mode & 0o777, 0o750)
    await symlink('/dev/null', join(folder, 'null'))
    assert.equal((await session.download(served.url, join(folder, 'null'))).bytes, CONTENT.length)
    assert.ok((await stat('/dev/null')).isCharacterDevice())
    await assert.rejects(session.download(served.url, folder), { code: 'EISDIR' })
    assert.deepEqual((await readdir(folder)).toSorted(), ['file', 'link', 'null'])
  })

  void test('two downloads do not write one part: the second is refused, and the first is whole', async (t) => {
    const served = await serving(t)
    const { folder, path, session } = await place(t)
    const first = session.download(served.url, path)
    await assert.rejects(session.download(served.url, path), { code: 'ERR_BUSY_PART' })
    await first
    assert.ok(CONTENT.equals(await readFile(path)))
    // One that was killed has left its lock: nobody has that number.
    await writeFile(`${path}.part.lock`, '4194305')
    await session.download(served.url, path)
    await writeFile(`${path}.part.lock`, '1')
    await assert.rejects(session.download(served.url, path), { code: 'ERR_BUSY_PART' })
    await rm(`${path}.part.lock`)
    assert.deepEqual(await readdir(folder), ['file'])
  })

  void test('what goes into a device has its digest looked at, too', async (t) => {
    const served = await serving(t)
    const { session } = await place(t)
    const report = await session.download(served.url, '/dev/null', { digest: `sha-256=${SHA256}` })
    assert.equal(report.isChecked, true)
    const wrong = `sha-256=${randomBytes(32).toString('base64')}`
    await assert.rejects(session.download(served.url, '/dev/null', { digest: wrong }), BodyError)
  })
})
