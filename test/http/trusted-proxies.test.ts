import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { errorCodeOf } from '#src/base/errors.js'
import { json } from '#src/http/response.js'
import { serveHttp } from '#src/http/server.js'
import { withTrustedProxies, type TrustedProxies } from '#src/http/trusted-proxies.js'
import type { HttpFunction } from '#src/http/handlers.js'

const TIMEOUT = { timeout: 30_000 }
const HERE = ['127.0.0.1']
const ALL = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'] as const
const NETS = ['127.0.0.1', '10.0.0.0/8', 'fd00::/8']

const tell: HttpFunction = (request) => {
  const { remote, isSecure, host, url } = request
  return json({ remote: remote.kind === 'ip' ? remote.host : remote.kind, isSecure, host, origin: url.origin })
}

interface Row {
  readonly name: string
  readonly options: TrustedProxies
  readonly headers: Record<string, string>
  readonly remote?: string
  readonly isSecure?: boolean
  readonly host?: string
  readonly status?: number
}

const X = (more: Record<string, string>): Record<string, string> => more
const rows: readonly Row[] = [
  {
    name: 'nothing is believed of a stranger',
    options: { proxies: ['10.0.0.1'] },
    headers: X({ 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https' }),
  },
  {
    name: 'the client of one proxy that sets all three',
    options: { proxies: HERE, fields: ALL },
    headers: X({ 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'example.org' }),
    remote: '1.2.3.4',
    isSecure: true,
    host: 'example.org',
  },
  {
    name: 'a host that no proxy was said to set is the client’s word, whatever it is',
    options: { proxies: HERE },
    headers: X({ 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example, a b' }),
    remote: '1.2.3.4',
    isSecure: true,
  },
  {
    name: 'a protocol that no proxy was said to set',
    options: { proxies: HERE, fields: ['x-forwarded-for'] },
    headers: X({ 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https' }),
    remote: '1.2.3.4',
  },
  {
    name: 'an address that no proxy was said to set',
    options: { proxies: HERE, fields: ['x-forwarded-host'] },
    headers: X({ 'x-forwarded-for': '1.2.3.4, 5.6.7.8', 'x-forwarded-host': 'example.org' }),
    host: 'example.org',
  },
  {
    name: 'nothing but a host that is not believed',
    options: { proxies: HERE },
    headers: X({ 'x-forwarded-host': 'example.org' }),
  },
  {
    name: 'what a client wrote before its own address is not believed',
    options: { proxies: HERE },
    headers: X({ 'x-forwarded-for': '9.9.9.9, 1.2.3.4' }),
    remote: '1.2.3.4',
  },
  {
    name: 'two proxies that are trusted',
    options: { proxies: NETS },
    headers: X({ 'x-forwarded-for': '1.2.3.4, 10.1.1.1' }),
    remote: '1.2.3.4',
  },
  {
    name: 'all are proxies',
    options: { proxies: NETS },
    headers: X({ 'x-forwarded-for': '10.2.2.2, 10.1.1.1' }),
    remote: '10.2.2.2',
  },
  {
    name: 'an address of IPv6',
    options: { proxies: HERE },
    headers: X({ 'x-forwarded-for': '2001:db8::7' }),
    remote: '2001:db8::7',
  },
  {
    name: 'only the protocol is told',
    options: { proxies: HERE },
    headers: X({ 'x-forwarded-proto': 'https' }),
    isSecure: true,
  },
  { name: 'no field at all', options: { proxies: HERE }, headers: {} },
  {
    name: 'the other kind of field is a stranger’s',
    options: { proxies: HERE },
    headers: { forwarded: 'for=1.2.3.4;proto=https' },
  },
  {
    name: 'Forwarded',
    options: { proxies: HERE, fields: 'forwarded' },
    headers: { forwarded: 'for=9.9.9.9, for="[2001:db8::7]:1234";proto=https;host="example.org:8443"' },
    remote: '2001:db8::7',
    isSecure: true,
    host: 'example.org:8443',
  },
  {
    name: 'Forwarded, with a proxy between that hides its client',
    options: { proxies: NETS, fields: 'forwarded' },
    headers: { forwarded: 'for=_secret, for=10.1.1.1' },
    remote: '10.1.1.1',
  },
  {
    name: 'X-Forwarded-For where Forwarded is believed',
    options: { proxies: HERE, fields: 'forwarded' },
    headers: X({ 'x-forwarded-for': '1.2.3.4' }),
  },
  {
    name: 'what is no address',
    options: { proxies: HERE },
    headers: X({ 'x-forwarded-for': 'example.org' }),
    status: 400,
  },
  {
    name: 'a host that is none',
    options: { proxies: HERE, fields: ALL },
    headers: X({ 'x-forwarded-for': '1.2.3.4', 'x-forwarded-host': 'a b' }),
    status: 400,
  },
]

suite('what trusted proxies tell of a client', () => {
  for (const { name, options, headers, status = 200, remote = '127.0.0.1', isSecure = false, host } of rows) {
    test(name, TIMEOUT, async () => {
      await using server = await serveHttp('http://127.0.0.1:0', withTrustedProxies(tell, options))
      const answer = await fetch(server.endpoint, { headers })
      assert.equal(answer.status, status)
      if (status !== 200) return
      const shown = host ?? new URL(server.endpoint).host
      const origin = `${isSecure ? 'https' : 'http'}://${shown}`
      assert.deepEqual(await answer.json(), { remote, isSecure, host: shown, origin })
    })
  }

  test('a list that is none is refused', () => {
    assert.throws(
      () => withTrustedProxies(tell, { proxies: ['10.0.0.0/40'] }),
      (error) => errorCodeOf(error) === 'ERR_OPTION_VALUE',
    )
    for (const fields of ['x-forwarded', [], ['x-forwarded-port'], null]) {
      assert.throws(
        () => Reflect.apply(withTrustedProxies, undefined, [tell, { proxies: HERE, fields }]),
        (error) => errorCodeOf(error) === 'ERR_OPTION_VALUE',
      )
    }
  })
})
