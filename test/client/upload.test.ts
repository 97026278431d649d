import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { StatusError } from '#src/client/errors.js'
import { Session } from '#src/client/session.js'
import { text } from '#src/http/index.js'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { files } from '#src/static/index.js'

const CONTENT = randomBytes(24 * 1024 * 1024)

interface Place {
  readonly folder: string
  readonly source: string
  readonly session: Session
}

async function place(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'upload-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'inbox'))
  const source = join(folder, 'source')
  await writeFile(source, CONTENT)
  const session = new Session({ proxy: false })
  t.after(() => session.destroy())
  return { folder, source, session }
}

/** A way to the server on which so many bytes go up in a connection before it is cut; Infinity for no cut. */
async function throughRelay(t: TestContext, server: HttpServer, most: () => number): Promise<string> {
  const sockets = new Set<Socket>()
  const port = server.local.kind === 'ip' ? server.local.port : 0
  const relay = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined))
    let left = most()
    near.on('data', (bytes: Buffer) => {
      if (!far.write(bytes.subarray(0, left))) {
        near.pause()
        far.once('drain', () => near.resume())
      }
      left -= bytes.length
      if (left > 0) return
      near.destroy()
      far.end()
    })
    far.on('data', (bytes: Buffer) => near.write(bytes)).on('end', () => near.end())
    near.on('end', () => far.end())
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    relay.close()
  })
  const address = relay.address()
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
}

void suite('Session.upload', () => {
  void test('what broke off goes on where the server has it, and the file is whole', async (t) => {
    const { folder, source, session } = await place(t)
    await using server = await serveHttp('http://127.0.0.1:0', files(join(folder, 'inbox'), { upload: true }))
    let count = 0
    let up = 0
    const url = await throughRelay(t, server, () => ((count += 1) <= 4 ? randomInt(1_000_000, 4_000_000) : Infinity))
    const report = await session.upload(`${url}/file`, source, { onProgress: ({ sent }) => (up = sent), digest: true })
    assert.equal(report.response.status, 201)
    assert.equal(report.isResumable, true)
    assert.ok(report.breaks >= 3, `${report.breaks} breaks`)
    assert.equal(up, CONTENT.length)
    assert.ok(CONTENT.equals(await readFile(join(folder, 'inbox/file'))))
  })

  void test('another call goes on with the stateFile of one that was ended', async (t) => {
    const { folder, source, session } = await place(t)
    await using server = await serveHttp('http://127.0.0.1:0', files(join(folder, 'inbox'), { upload: true }))
    const stateFile = join(folder, 'state.json')
    const controller = new AbortController()
    const first = session.upload(`${server.endpoint}/file`, source, {
      stateFile,
      signal: controller.signal,
      onProgress: ({ sent }) => sent > CONTENT.length / 2 && controller.abort(new Error('enough')),
    })
    await assert.rejects(first, /enough/)
    assert.ok(!existsSync(join(folder, 'inbox/file')))
    const report = await session.upload(`${server.endpoint}/file`, source, { stateFile })
    assert.ok(report.resumed > 0, `${report.resumed}`)
    assert.ok(CONTENT.equals(await readFile(join(folder, 'inbox/file'))))
    assert.ok(!existsSync(stateFile))
    // Of a file that is another now nothing is gone on with.
    await writeFile(stateFile, JSON.stringify({ address: `${server.endpoint}/nowhere`, size: 1, modifiedMs: 1 }))
    assert.equal((await session.upload(`${server.endpoint}/other`, source, { stateFile })).resumed, 0)
  })

  void test('a server that cannot go on gets an ordinary request, and its refusal is a StatusError', async (t) => {
    const { source, session } = await place(t)
    let seen = 0
    await using server = await serveHttp(
      'http://127.0.0.1:0',
      async ({ body, path, method, headers }) => {
        if (path === '/refused') return text('no', { status: 403 })
        for await (const bytes of body ?? []) seen += bytes.length
        return text(`${method} ${headers.get('content-length') ?? ''}`)
      },
      { maxBodyBytes: Infinity },
    )
    const report = await session.upload(`${server.endpoint}/file`, source, { method: 'POST' })
    assert.equal(await report.response.text(), `POST ${CONTENT.length}`)
    assert.equal(report.isResumable, false)
    assert.equal(seen, CONTENT.length)
    await assert.rejects(session.upload(`${server.endpoint}/refused`, source), StatusError)
    await assert.rejects(session.upload(server.endpoint, `${source}-not`), { code: 'ERR_BODY_SOURCE' })
  })

  void test('a name that is taken is refused, and the file that stood there is whole', async (t) => {
    const { folder, source, session } = await place(t)
    await writeFile(join(folder, 'inbox/file'), 'before')
    await using server = await serveHttp('http://127.0.0.1:0', files(join(folder, 'inbox'), { upload: true }))
    await assert.rejects(session.upload(`${server.endpoint}/file`, source), (error) => {
      assert.ok(error instanceof StatusError)
      return error.response.status === 409
    })
    assert.equal(await readFile(join(folder, 'inbox/file'), 'utf8'), 'before')
  })

  void test('a 503 keeps the state, which is of its URL alone, and an address elsewhere is not gone to', async (t) => {
    const { folder, source, session } = await place(t)
    const stateFile = join(folder, 'state.json')
    let elsewhere = 0
    await using other = await serveHttp('http://127.0.0.1:0', () => {
      elsewhere += 1
      return text('')
    })
    await using server = await serveHttp('http://127.0.0.1:0', (request) => {
      request.inform(104, { Location: request.path === '/far' ? `${other.endpoint}/there` : '/here' })
      return text('busy', { status: request.path === '/far' ? 200 : 503 })
    })
    await assert.rejects(session.upload(`${server.endpoint}/near`, source, { stateFile }), StatusError)
    assert.ok(existsSync(stateFile))
    await session.upload(`${other.endpoint}/file`, source, { stateFile })
    assert.equal(elsewhere, 1)
    assert.equal((await session.upload(`${server.endpoint}/far`, source)).isResumable, false)
    assert.equal(elsewhere, 1)
  })
})
