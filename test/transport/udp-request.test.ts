import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress } from '#src/transport/address.js'
import { bindDatagram, connectDatagram } from '#src/transport/datagrams.js'
import { request } from '#src/transport/udp-request.js'

const code = (expected: string): object => ({ code: expected })

test('request sends again until it is answered', async () => {
  await using server = await bindDatagram('udp://127.0.0.1:0')
  let tries = 0
  server.sinkTo((data, remote) => {
    tries += 1
    if (tries === 3) void server.send(data, remote)
  })
  const answer = await request(`udp://${formatAddress(server.local)}`, 'ping', { timeoutMs: 10, retries: 5 })
  assert.equal(Buffer.from(answer.data).toString(), 'ping')
  assert.ok(tries >= 3)
})

test('request gives up with ERR_REQUEST_TIMEOUT after its retries', async () => {
  await using server = await bindDatagram('udp://127.0.0.1:0')
  const endpoint = `udp://${formatAddress(server.local)}`
  await assert.rejects(request(endpoint, 'ping', { timeoutMs: 2, retries: 2 }), code('ERR_REQUEST_TIMEOUT'))
  assert.equal(server.statistics.received, 3)
})

test('request passes over datagrams that do not match, and uses an open socket', async () => {
  await using server = await bindDatagram('udp://127.0.0.1:0')
  server.sinkTo((_data, remote) => {
    void server.send('no', remote)
    void server.send('yes', remote)
  })
  await using socket = await bindDatagram('udp://127.0.0.1:0')
  const matches = ({ data }: { data: Uint8Array }): boolean => data.length === 3
  const answer = await request(socket, 'ping', { to: server.local, matches })
  assert.equal(Buffer.from(answer.data).toString(), 'yes')
})

test('request rejects at once when nobody listens, and with signal.reason when aborted', async () => {
  const server = await bindDatagram('udp://127.0.0.1:0')
  const endpoint = `udp://${formatAddress(server.local)}`
  await server.close()
  await assert.rejects(request(endpoint, 'ping'), code('ERR_DATAGRAM_UNREACHABLE'))
  const peer = formatAddress(server.local)
  for (const native of ['auto', 'never'] as const) {
    await using refused = await connectDatagram(endpoint, { native })
    const isAboutPeer = { code: 'ERR_DATAGRAM_UNREACHABLE', details: { systemCode: 'ECONNREFUSED', peer } }
    await assert.rejects(request(refused, 'ping'), isAboutPeer)
  }
  await using silent = await bindDatagram('udp://127.0.0.1:0')
  await using socket = await connectDatagram(`udp://${formatAddress(silent.local)}`)
  const reason = new Error('mine')
  const controller = new AbortController()
  const asking = assert.rejects(request(socket, 'ping', { signal: controller.signal }), (error) => error === reason)
  controller.abort(reason)
  await asking
})
