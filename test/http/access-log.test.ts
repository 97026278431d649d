import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { withBasicAuth, hashPassword } from '#src/http/basic-auth.js'
import type { HttpFunction, HttpHandlerSource } from '#src/http/handlers.js'
import { withRequestIds } from '#src/http/request-ids.js'
import { text } from '#src/http/response.js'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { withTrustedProxies } from '#src/http/trusted-proxies.js'
import { formatAccess, onlyHosts, withAccessLog, withFields, type AccessEntry } from '#src/http/wrapping.js'
import { readAll } from '#src/testing/connection-pair.js'
import { until, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'

const TIMEOUT = { timeout: 20_000 }
const GET = 'GET /fine HTTP/1.1\r\nHost: a\r\n\r\n'

/** Sends pieces, one after the other, and resolves with all that comes until the server ends it. */
async function send({ endpoint }: HttpServer, ...pieces: readonly string[]): Promise<string> {
  const connection = await connect(endpoint.replace('http:', 'tcp:'))
  for (const piece of pieces) await connection.write(Buffer.from(piece, 'latin1'))
  const answer = await within('the end', readAll(connection))
  await connection.close()
  return Buffer.from(answer).toString('latin1')
}

const rows: readonly (readonly [name: string, sent: string, line: string])[] = [
  ['a line that is none', 'hello\r\n\r\n', '"-" 400 12'],
  ['bytes that are no text', '\x16\x03\x01\x02"\x00\r\n\r\n', '"-" 400 12'],
  ['no Host', 'GET /a HTTP/1.1\r\n\r\n', '"GET /a HTTP/1.1" 400 12'],
  [
    'two lengths',
    'PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    '"PUT /b HTTP/1.1" 400 12',
  ],
  ['a quote in the target', 'GET /"\\ HTTP/1.1\r\nHost: a\r\n\r\n', String.raw`"GET /\x22\x5c HTTP/1.1" 400 12`],
  ['fields that are too long', `GET /c HTTP/1.0\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '"GET /c HTTP/1.0" 431 32'],
  ['a line that is too long', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`, '"-" 414 13'],
  ['one behind another in the same packet', `${GET}nonsense\r\n\r\n`, '"GET /fine HTTP/1.1" 200 5\n"-" 400 12'],
  ['one that is asked about', GET.replace('GET', 'HEAD') + 'x\r\n\r\n', '"HEAD /fine HTTP/1.1" 200 0\n"-" 400 12'],
  ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n', '"CONNECT a:1 HTTP/1.1" 501 -'],
]

suite('withAccessLog tells of what no handler sees', () => {
  for (const [name, sent, expected] of rows) {
    test(`${name}: once, with the status that is answered`, TIMEOUT, async () => {
      const lines: string[] = []
      const told = (entry: AccessEntry): number => lines.push(formatAccess(entry, 'common'))
      await using server = await serveHttp(
        'http://127.0.0.1:0',
        withAccessLog(() => text('fine\n'), told),
      )
      const answer = await send(server, sent)
      const shown = lines.map((line) => line.replace(/^127\.0\.0\.1 - - \[.*?\] /, ''))
      assert.equal(shown.join('\n'), expected)
      assert.deepEqual(
        [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status),
        shown.map((line) => /" (\d{3})/.exec(line)?.[1]),
      )
    })
  }
  test('a head that does not come to its end is 408, with its line where that came', TIMEOUT, async () => {
    const entries: AccessEntry[] = []
    const handler = withAccessLog(
      () => text(''),
      (entry) => entries.push(entry),
    )
    await using server = await serveHttp('http://127.0.0.1:0', handler, { headerTimeoutMs: 50 })
    for (const begun of ['GET /slow HTTP/1.1\r\nHost: a\r\n', 'GET /sl'])
      assert.match(await send(server, begun), /^HTTP\/1\.1 408 /)
    assert.deepEqual(
      entries.map(({ method, target, version, status, remote }) => [method, target, version, status, remote]),
      [
        ['GET', '/slow', '1.1', 408, '127.0.0.1'],
        ['-', '-', '-', 408, '127.0.0.1'],
      ],
    )
    // Who says nothing, or leaves in the middle, is not answered.
    assert.equal(await send(server, ''), '')
    const leaving = await connect(server.endpoint.replace('http:', 'tcp:'))
    await leaving.write('GET /left HT')
    await leaving.close()
    await until('the connections to end', () => server.metrics.active === 0)
    assert.equal(entries.length, 2)
    assert.equal(JSON.parse(formatAccess(entries[1] ?? assert.fail(), 'json')).method, '-')
  })
  test('whatever stands around the log', TIMEOUT, async () => {
    const accounts = { ann: await hashPassword('a') }
    const wrappers: readonly ((handler: HttpFunction) => HttpHandlerSource)[] = [
      (handler) => withFields(handler, { A: 'b' }),
      (handler) => withRequestIds(handler),
      (handler) => onlyHosts(handler, ['a']),
      (handler) => withTrustedProxies(handler, { proxies: ['127.0.0.1'] }),
      (handler) => withBasicAuth(handler, accounts),
      (handler) => withAccessLog(handler, () => undefined),
      (handler) => ({ handle: handler, ...(handler.refused === undefined ? {} : { refused: handler.refused }) }),
    ]
    for (const wrap of wrappers) {
      const statuses: number[] = []
      const handler = withAccessLog(
        () => text(''),
        ({ status }) => statuses.push(status),
      )
      await using server = await serveHttp('http://127.0.0.1:0', withFields(wrap(handler), {}))
      await send(server, 'nonsense\r\n\r\n')
      assert.deepEqual(statuses, [400])
    }
  })
  test('a log that throws ends no server', TIMEOUT, async () => {
    const handler = withAccessLog(
      () => text(''),
      () => {
        throw new Error('the log is broken')
      },
    )
    await using server = await serveHttp('http://127.0.0.1:0', handler)
    for (let time = 0; time < 2; time += 1) assert.match(await send(server, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /)
  })
})
