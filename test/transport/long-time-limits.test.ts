import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from '#src/server/serve.js'
import { turns, within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import { connectDatagram } from '#src/transport/datagrams.js'
import { systemClock } from '#src/transport/system-clock.js'
import { request } from '#src/transport/udp-request.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const { cert, key } = await localhostCertificate()

// Timers of the runtime take at most 2^31 - 1 ms, and fire longer ones at once.
for (const longMs of [2 ** 31, Infinity]) {
  test(`a time limit of ${longMs} ms does not end what takes a moment`, async () => {
    await using server = await serve('tls://127.0.0.1:0', (connection) => connection.write('hello'), {
      tls: { cert, key },
      handshakeTimeoutMs: longMs,
    })
    const limits = { connectTimeoutMs: longMs, attemptDelayMs: longMs, handshakeTimeoutMs: longMs }
    const warnings: string[] = []
    const note = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', note)
    const connection = await connect(server.endpoint, { ...limits, tls: { ca: cert } })
    assert.equal(String(await connection.read({ timeoutMs: longMs })), 'hello')
    await connection.close()

    await using slow = await serve('udp://127.0.0.1:0', async (datagram) => {
      await new Promise((resolve) => void setTimeout(resolve, 20))
      await datagram.reply('pong')
    })
    const endpoint = slow.endpoint as `udp:${string}`
    await using socket = await connectDatagram(endpoint)
    await socket.send('ping')
    const datagram = await within('a datagram', socket.receive({ timeoutMs: longMs }))
    assert.equal(String(datagram?.data), 'pong')
    const answer = await within('an answer', request(endpoint, 'ping', { timeoutMs: longMs, retries: 0 }))
    assert.equal(String(answer.data), 'pong')
    process.off('warning', note)
    assert.deepEqual(warnings, [])
  })
}

test('what was due a moment ago runs soon, and nobody is warned', async () => {
  const warnings: string[] = []
  const hear = (warning: Error): void => void warnings.push(warning.name)
  process.on('warning', hear)
  await new Promise<void>((resolve) => void systemClock.after(-0.5, resolve))
  await turns(2)
  process.off('warning', hear)
  assert.deepEqual(warnings, [])
})
