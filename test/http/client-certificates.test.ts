import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { connect, type TlsClientOptions } from 'moorage'
import { json, serveHttp } from 'moorage/http'
import { within } from '#src/testing/contract-row.js'
import { localhostCertificate } from '../fixtures/certificates.js'

test('request.tls tells who the client is by its certificate, and whether that was verified', async (context) => {
  const [{ cert, key }, stranger] = [await localhostCertificate(), await localhostCertificate()]
  const server = await serveHttp(
    'https://localhost:0',
    ({ tls }) => json({ authorized: tls?.authorized, subject: tls?.peerCertificate?.subject ?? null }),
    { tls: { cert, key, ca: cert, clientCertificate: 'request' } },
  )
  context.after(() => server.close({ graceMs: 1000 }))
  const ask = async (tls: TlsClientOptions): Promise<unknown> => {
    const connection = await connect(server.endpoint.replace('https:', 'tls:'), { tls: { ca: cert, ...tls } })
    await connection.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    const chunks: Uint8Array[] = []
    const reading = (async () => {
      for await (const chunk of connection) chunks.push(chunk)
    })()
    await within('the answer', reading)
    const [, body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n')
    return JSON.parse(body)
  }
  const subject = /CN=(.*)/.exec(new X509Certificate(cert).subject)?.[1]
  assert.deepEqual(await ask({}), { authorized: false, subject: null })
  assert.deepEqual(await ask({ cert, key }), { authorized: true, subject })
  const { authorized } = (await ask({ cert: stranger.cert, key: stranger.key })) as { readonly authorized: boolean }
  assert.equal(authorized, false)
})

test('request.tls is undefined without TLS', async (context) => {
  const server = await serveHttp('http://127.0.0.1:0', ({ tls }) => json(tls === undefined))
  context.after(() => server.close({ graceMs: 1000 }))
  const answer = await fetch(server.endpoint)
  assert.equal(await answer.json(), true)
})
