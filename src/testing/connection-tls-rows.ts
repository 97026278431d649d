import assert from 'node:assert/strict'
import { errorCodeOf } from '../base/errors.js'
import type { Connection } from '../transport/connection.js'
import {
  assertSameBytes,
  bothWays,
  readAll,
  readText,
  saturate,
  type ConnectionContractRow,
  type ConnectionFactory,
} from './connection-pair.js'
import { patternBytes, turns, within, withCode, type Skipped } from './contract-row.js'

const NO_TLS: Skipped = { skipped: 'this transport carries no TLS' }
const soon = <T>(promise: Promise<T>): Promise<T> => within('a handshake', promise)

interface TlsEnds {
  readonly asServer: (connection: Connection) => Promise<void>
  readonly asClient: (connection: Connection) => Promise<void>
}

function tlsEnds({ credentials }: ConnectionFactory): TlsEnds | undefined {
  if (credentials === undefined) return undefined
  const { cert, key } = credentials
  return {
    asServer: (connection) => connection.startTls({ role: 'server', cert, key, alpn: ['contract'] }),
    asClient: (connection) =>
      connection.startTls({ role: 'client', serverName: 'localhost', ca: cert, alpn: ['contract'] }),
  }
}

/** STARTTLS: an open connection becomes a TLS one, with whatever was read too far. */
export const tlsRows: readonly ConnectionContractRow[] = [
  bothWays(
    'startTls secures an open connection, also when the hello was read with what came before',
    async ({ near, far }, factory) => {
      const tls = tlsEnds(factory)
      if (tls === undefined) return NO_TLS
      await near.write('STARTTLS\n')
      const asClient = tls.asClient(near)
      // Both pieces are there: the line reader holds the hello.
      await turns(5)
      assert.equal(await soon(far.readLine()), 'STARTTLS\n')
      await soon(Promise.all([asClient, tls.asServer(far)]))
      assert.equal(near.tls?.alpn, 'contract')
      assert.equal(near.tls?.authorized, true)
      assert.equal(far.tls?.serverName, 'localhost')
      assert.equal(near.tls?.peerCertificate === undefined, false)
      const bytes = patternBytes(500_000, 8)
      const sending = near.write(bytes.slice()).then(() => near.closeWrite())
      assertSameBytes(await readAll(far), bytes)
      await sending
      await far.write('and back')
      assert.equal(await readText(near, 8), 'and back')
      return undefined
    },
  ),
  bothWays(
    'what was written before startTls goes out before the handshake, all of it',
    async ({ near, far }, factory) => {
      const tls = tlsEnds(factory)
      if (tls === undefined) return NO_TLS
      const bytes = patternBytes(8 * 1024 * 1024, 5)
      void near.write(bytes.slice())
      const asClient = tls.asClient(near)
      await assert.rejects(near.write('in between'), withCode('ERR_BUSY_WRITE'))
      assertSameBytes(await far.readExactly(bytes.length), bytes)
      await soon(Promise.all([asClient, tls.asServer(far)]))
      await near.write('secret')
      assert.equal(await readText(far, 6), 'secret')
      return undefined
    },
  ),
  bothWays('startTls waits for a peer that does not read as long as for a handshake', async ({ near }, factory) => {
    if (tlsEnds(factory) === undefined) return NO_TLS
    await saturate(near)
    const starting = near.startTls({ role: 'client', handshakeTimeoutMs: 20 })
    await assert.rejects(soon(starting), withCode('ERR_HANDSHAKE_TIMEOUT'))
    assert.equal(errorCodeOf((await soon(near.closed)).error), 'ERR_HANDSHAKE_TIMEOUT')
    return undefined
  }),
  bothWays('after startTls the counters go on, and close delivers', async ({ near, far }, factory) => {
    const tls = tlsEnds(factory)
    if (tls === undefined) return NO_TLS
    await near.write('plain')
    assert.equal(await readText(far, 5), 'plain')
    await soon(Promise.all([tls.asClient(near), tls.asServer(far)]))
    void near.write('secret')
    const closing = near.close()
    assert.equal(Buffer.from(await readAll(far)).toString(), 'secret')
    await far.close()
    await soon(closing)
    const report = await near.closed
    assert.deepEqual([report.reason, report.bytesWritten, report.bytesUnsent], ['closed', 11, 0])
    return undefined
  }),
  bothWays(
    'startTls while a read waits rejects with ERR_BUSY_READ, and without TLS with ERR_UNSUPPORTED',
    async ({ near, far }, factory) => {
      const { cert, key } = factory.credentials ?? { cert: '', key: '' }
      const start = (): Promise<void> => near.startTls({ role: 'server', cert, key })
      if (factory.credentials === undefined) {
        await assert.rejects(start(), withCode('ERR_UNSUPPORTED'))
        return undefined
      }
      const reading = near.read()
      await assert.rejects(start(), withCode('ERR_BUSY_READ'))
      await far.write('x')
      await soon(reading)
      return undefined
    },
  ),
  bothWays(
    'a failed handshake rejects with ERR_TLS_HANDSHAKE, and the connection is gone',
    async ({ near, far }, factory) => {
      const tls = tlsEnds(factory)
      if (tls === undefined) return NO_TLS
      await far.write('this is no hello, and it is long enough for a record header\n')
      await assert.rejects(soon(tls.asServer(near)), withCode('ERR_TLS_HANDSHAKE'))
      const report = await soon(near.closed)
      assert.equal(report.reason, 'failed')
      assert.equal(errorCodeOf(report.error), 'ERR_TLS_HANDSHAKE')
      await assert.rejects(near.read(), withCode('ERR_TLS_HANDSHAKE'))
      return undefined
    },
  ),
  bothWays('a peer that ends or vanishes within the handshake is noticed at once', async ({ near, far }, factory) => {
    const tls = tlsEnds(factory)
    if (tls === undefined) return NO_TLS
    const starting = tls.asServer(near)
    await far.write(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01))
    await far.closeWrite()
    await assert.rejects(within('the handshake', starting, 2000), withCode('ERR_TLS_HANDSHAKE'))
    await within('the report', near.closed, 2000)
    return undefined
  }),
  bothWays('destroy in the middle of a handshake ends it now', async ({ near }, factory) => {
    const tls = tlsEnds(factory)
    if (tls === undefined) return NO_TLS
    const starting = tls.asServer(near)
    starting.catch(() => undefined)
    await turns(3)
    const reason = new Error('no time for this')
    near.destroy(reason)
    const report = await within('the report', near.closed, 2000)
    assert.equal(report.error, reason)
    await assert.rejects(soon(starting))
    return undefined
  }),
  bothWays(
    'a handshake that takes too long rejects with ERR_HANDSHAKE_TIMEOUT, and the connection is gone',
    async ({ near }, factory) => {
      if (factory.credentials === undefined) return NO_TLS
      const { cert, key } = factory.credentials
      const starting = near.startTls({ role: 'server', cert, key, handshakeTimeoutMs: 10 })
      await assert.rejects(soon(starting), withCode('ERR_HANDSHAKE_TIMEOUT'))
      assert.equal(errorCodeOf((await within('the report', near.closed, 2000)).error), 'ERR_HANDSHAKE_TIMEOUT')
      return undefined
    },
  ),
]
