import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { UsageError } from '#src/base/errors.js'
import type { Socket } from 'node:net'
import { HttpCache } from '#src/client/http-cache.js'
import { raw, session } from './_servers.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** A server that is told of what has come so far, and answers by that. */
async function recording(
  t: TestContext,
  answer: (text: string, socket: Socket) => void,
): Promise<{ readonly url: string; readonly text: () => string }> {
  let text = ''
  const url = await raw(t, (socket) => {
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1')
      answer(text, socket)
    })
  })
  return { url, text: () => text }
}

void suite('head of a request', () => {
  void test('is what goes out, with nothing of the session', async (t) => {
    const { url, text } = await recording(t, (got, socket) => got.endsWith('body') && socket.write(OK))
    const own = session(t, { headers: { 'x-session': '1' } })
    const response = await own.post(url, {
      body: 'body',
      head: {
        target: '/as/../is',
        host: 'other.example',
        close: true,
        fields: [
          ['X-First', '1'],
          ['Content-Length', '4'],
          ['Connection', 'close'],
          ['X-Last', '2'],
        ],
      },
    })
    assert.equal(await response.text(), 'ok')
    assert.equal(
      text(),
      'POST /as/../is HTTP/1.1\r\nHost: other.example\r\nX-First: 1\r\nContent-Length: 4\r\nConnection: close\r\nX-Last: 2\r\n\r\nbody',
    )
    assert.deepEqual(response.connection?.remote, { kind: 'ip', host: '127.0.0.1', port: Number(new URL(url).port) })
  })

  void test('is of the first request alone: behind a redirect it is the session that speaks', async (t) => {
    const { url, text } = await recording(t, (got, socket) =>
      socket.write(got.includes('/b') ? OK : 'HTTP/1.1 302 Go\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n'),
    )
    await (await session(t, { userAgent: 'own' }).get(url, { head: { target: '/a', host: 'x', fields: [] } })).text()
    assert.match(text(), /^GET \/a HTTP\/1\.1\r\nHost: x\r\n\r\nGET \/b HTTP\/1\.1\r\nHost: 127[^]*User-Agent: own\r\n/)
  })

  void test('is asked for each time: what a cache has is the answer to another request', async (t) => {
    const fresh = OK.replace('Content-Length', 'Cache-Control: max-age=100\r\nContent-Length')
    const { url, text } = await recording(t, (_, socket) => socket.write(fresh))
    const own = session(t, { cache: new HttpCache(), deduplicate: true })
    for (const target of ['/a', '/b']) await (await own.get(url, { head: { target, fields: [] } })).text()
    assert.match(text(), /^GET \/a [^]*GET \/b /)
  })

  void test('that would be another request is refused before anything is sent', async (t) => {
    const { url, text } = await recording(t, (_, socket) => socket.write(OK))
    for (const head of [{ fields: [['Content-Length', '9']] as const }, { target: '/a b' }, { host: 'a b' }])
      await assert.rejects(session(t).get(url, { head }), UsageError)
    assert.equal(text(), '')
  })
})

void suite('expectsContinue of a head', () => {
  const sent = 'Content-Length: 4\r\nExpect: 100-continue\r\n\r\n'

  void test('keeps the body until the server says 100', async (t) => {
    let held = ''
    const { url, text } = await recording(t, (got, socket) => {
      if (got.endsWith('\r\n\r\n')) {
        held = got
        socket.write('HTTP/1.1 100 Continue\r\n\r\n')
      } else socket.write(OK)
    })
    const response = await session(t).put(url, { body: 'body', head: { expectsContinue: true, fields: [] } })
    assert.equal(await response.text(), 'ok')
    assert.ok(held.endsWith(sent))
    assert.equal(text(), `${held}body`)
  })

  void test('keeps it for good when the server answers at once', async (t) => {
    const { url, text } = await recording(t, (got, socket) =>
      socket.write(got.endsWith(sent) ? 'HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n' : OK),
    )
    const own = session(t)
    const refused = await own.put(url, { body: 'body', head: { expectsContinue: true, fields: [] } })
    assert.equal(refused.status, 417)
    await refused.text()
    assert.equal((await own.get(url)).status, 200)
    assert.ok(!text().includes('body'))
  })

  void test('does not wait for a server that knows no expectations', async (t) => {
    const { url, text } = await recording(t, (got, socket) => got.endsWith('body') && socket.write(OK))
    const response = await session(t).put(url, { body: 'body', head: { expectsContinue: true, fields: [] } })
    assert.equal(await response.text(), 'ok')
    assert.ok(text().endsWith(`${sent}body`))
  })

  void test('ends with the connection', async (t) => {
    const { url } = await recording(t, (_, socket) => socket.destroy())
    await assert.rejects(
      session(t, { retries: 0 }).put(url, { body: 'body', head: { expectsContinue: true, fields: [] } }),
    )
  })
})
