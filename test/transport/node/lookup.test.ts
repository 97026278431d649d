import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:tls'
import { suite, test } from 'node:test'
import { NetError, TimeoutError } from '#src/base/errors.js'
import { connect } from '#src/transport/connect.js'
import { listen } from '#src/transport/listen.js'
import type { Lookup } from '#src/transport/node/resolve-all.js'
import { localhostCertificate } from '../../fixtures/certificates.js'
import { freePort } from '../../fixtures/free-port.js'

const never: Lookup = () => new Promise(() => undefined)
const addresses =
  (...found: readonly (readonly [address: string, family: number])[]): Lookup =>
  () =>
    Promise.resolve(found.map(([address, family]) => ({ address, family })))

void suite('lookup of connect', () => {
  void test('takes the place of the system, and onAttempt tells of each address that is tried', async (t) => {
    const listener = await listen('tcp://127.0.0.1:0')
    t.after(() => listener.close())
    const port = /\d+$/.exec(listener.endpoint)?.[0] ?? ''
    const tried: string[] = []
    const lookup = addresses(['127.0.0.2', 4], ['127.0.0.3', 4], ['127.0.0.1', 4])
    const connection = await connect(`tcp://a.example:${port}`, {
      lookup,
      onAttempt: (address) => tried.push(address),
    })
    connection.destroy()
    assert.deepEqual(tried, [`127.0.0.2:${port}`, `127.0.0.3:${port}`, `127.0.0.1:${port}`])
  })

  void test('one that never answers is given up at connectTimeoutMs, and with the signal', async () => {
    await assert.rejects(connect('tcp://a.example:1', { lookup: never, connectTimeoutMs: 20 }), (error) => {
      assert.ok(error instanceof TimeoutError && error.code === 'ERR_CONNECT_TIMEOUT')
      assert.deepEqual(error.details, { timeoutMs: 20, stage: 'resolve', addresses: [] })
      return true
    })
    const reason = new Error('enough')
    const controller = new AbortController()
    const waiting = connect('tcp://a.example:1', { lookup: never, signal: controller.signal })
    controller.abort(reason)
    await assert.rejects(waiting, reason)
  })

  void test('none at all, and one that throws, are ERR_RESOLVE', async () => {
    await assert.rejects(connect('tcp://a.example:1', { lookup: addresses() }), { code: 'ERR_RESOLVE' })
    const cause = new Error('no')
    await assert.rejects(connect('tcp://a.example:1', { lookup: () => Promise.reject(cause) }), (error) => {
      assert.ok(error instanceof NetError && error.code === 'ERR_RESOLVE' && error.cause === cause)
      assert.equal(error.details['host'], 'a.example')
      return true
    })
  })

  void test('attempts that failed have the system’s code', async () => {
    const port = await freePort()
    await assert.rejects(connect(`tcp://a.example:${port}`, { lookup: addresses(['127.0.0.1', 4]) }), (error) => {
      assert.ok(error instanceof NetError)
      assert.deepEqual(error.details['attempts'], [
        {
          address: `127.0.0.1:${port}`,
          reason: `connect ECONNREFUSED 127.0.0.1:${port}`,
          systemCode: 'ECONNREFUSED',
        },
      ])
      return true
    })
  })
})

void suite('TLS of clients', () => {
  void test('an alert behind the handshake is what a read rejects with, and not an end', async (t) => {
    const { cert, key } = await localhostCertificate()
    const server = createServer({ cert, key, ca: cert, requestCert: true, minVersion: 'TLSv1.3' })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const connection = await connect(`tls://127.0.0.1:${port}`, { tls: { ca: cert } })
    await assert.rejects(connection.read(), (error) => {
      assert.ok(error instanceof NetError)
      assert.equal(error.details['systemCode'], 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')
      return true
    })
    assert.equal((await connection.closed).reason, 'failed')
  })
})
