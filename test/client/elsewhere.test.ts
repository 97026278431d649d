import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import { suite, test, type TestContext } from 'node:test'
import { decode, encode, type Answer } from 'dns-packet'
import { AltSvcStore } from '#src/client/alt-svc.js'
import { dnsOverHttps } from '#src/client/dns-over-https.js'
import { ResolveError } from '#src/client/errors.js'
import { HttpResponse, text } from '#src/http/index.js'
import { localhostCertificate } from '../fixtures/certificates.js'
import { serving, session } from './_servers.js'

const { cert, key } = await localhostCertificate()

/** Over TLS, with HTTP/2; counts what it was asked. */
async function secure(
  t: TestContext,
  fields: Record<string, string>,
): Promise<{ readonly port: number; readonly asked: (string | undefined)[]; close(): void }> {
  const asked: (string | undefined)[] = []
  const server = createSecureServer({ cert, key })
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (each) => sessions.add(each))
  server.on('stream', (stream, headers) => {
    asked.push(headers['alt-used']?.toString())
    stream.respond({ ':status': 200, ...fields })
    stream.end('answer')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = (): void => {
    for (const each of sessions) each.destroy()
    server.close()
  }
  t.after(close)
  const address = server.address()
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, asked, close }
}

void suite('servers that are elsewhere', () => {
  void test('AltSvcStore takes the first place that can be used, until its time is over', () => {
    const rows: readonly (readonly [value: string, found: string | undefined])[] = [
      ['h2=":8443"', 'a.example:8443'],
      ['h3=":443"; ma=60, h2="b.example:444"; ma=60', 'b.example:444'],
      ['h3=":443"', undefined],
      ['h2="[::1]:8443"', '::1:8443'],
      ['http%2F1.1="b.example:1"', 'b.example:1'],
      ['h2="b.example:0"', undefined],
      ['h2="b.example:65536"', undefined],
      ['h2=b.example:1', undefined],
      ['h2=":443"', undefined],
      ['h2="b.example:1"; ma=0', undefined],
      ['clear', undefined],
      ['h2="b.example:1"; x="a, b", h2="c.example:2"', 'b.example:1'],
    ]
    for (const [value, found] of rows) {
      const store = new AltSvcStore()
      store.note('https://a.example', value, 0)
      const place = store.find('https://a.example', 59_999)
      assert.equal(place && `${place.host}:${place.port}`, found, value)
    }
    const store = new AltSvcStore()
    store.note('https://a.example', 'h2=":1"; ma=60', 0)
    assert.ok(store.find('https://a.example', 59_999))
    assert.equal(store.find('https://a.example', 60_000), undefined)
    store.note('https://a.example', 'h2=":1"', 0)
    store.note('https://a.example', 'clear', 0)
    assert.equal(store.size, 0)
  })

  void test('a session goes where the server said that it is, and back when nobody is there', async (t) => {
    const other = await secure(t, {})
    const first = await secure(t, { 'alt-svc': `h2="127.0.0.1:${other.port}"; ma=60` })
    const own = session(t, { altSvc: new AltSvcStore(), tls: { ca: cert } })
    const url = `https://localhost:${first.port}/`
    for (let i = 0; i < 3; i += 1) assert.equal(await (await own.get(url)).text(), 'answer')
    assert.deepEqual([first.asked, other.asked], [[undefined], [`127.0.0.1:${other.port}`, `127.0.0.1:${other.port}`]])
    other.close()
    for (let i = 0; i < 2; i += 1) assert.equal(await (await own.get(url, { retries: 2 })).text(), 'answer')
    assert.ok(first.asked.length >= 2)
  })

  void test('dnsOverHttps asks for both families, keeps answers, and tells what there is not', async (t) => {
    let count = 0
    const answers: Record<string, readonly Answer[]> = {
      A: [
        { type: 'CNAME', name: 'there.example', data: 'other.example', ttl: 60 },
        { type: 'A', name: 'other.example', data: '127.0.0.1', ttl: 60 },
      ],
      AAAA: [{ type: 'AAAA', name: 'other.example', data: '::1', ttl: 60 }],
    }
    const server = await serving(t, async ({ path, headers, body }) => {
      if (path !== '/dns-query') return text('answer')
      assert.equal(headers.get('content-type'), 'application/dns-message')
      count += 1
      const { id, questions = [] } = decode(Buffer.from((await body?.bytes()) ?? []))
      const [question] = questions
      const isThere = question?.name === 'there.example'
      const packet = {
        type: 'response' as const,
        id,
        flags: isThere ? 0 : 3,
        questions,
        answers: isThere ? [...(answers[question.type] ?? [])] : [],
      }
      return new HttpResponse(encode(packet), { headers: { 'content-type': 'application/dns-message' } })
    })
    const lookup = dnsOverHttps(`${server}/dns-query`)
    assert.deepEqual(await lookup('there.example'), [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ])
    await lookup('there.example')
    assert.equal(count, 2)
    const own = session(t, { lookup })
    assert.equal(await (await own.get(server.replace('127.0.0.1', 'there.example'))).text(), 'answer')
    await assert.rejects(own.get('http://nowhere.example/'), ResolveError)
  })
})
