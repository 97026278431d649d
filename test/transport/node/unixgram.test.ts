import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { errorCodeOf } from '#src/base/errors.js'
import type { Address } from '#src/transport/address.js'
import { adoptDatagram, bindDatagram, connectDatagram } from '#src/transport/datagrams.js'
import { tryLoadNative } from '#src/transport/node/native.js'
import { runDatagramContract } from './datagram-contract-runner.js'

const addon = tryLoadNative()
const skip = addon === undefined ? 'the addon is not built' : false
const folder = mkdtempSync(join(tmpdir(), 'moorage-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
const newPath = (): string => join(folder, `${(made += 1)}.sock`)
const pathOf = (address: Address): string => (address.kind === 'unix' ? address.path : '')
const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })
const code = (expected: string): object => ({ code: expected })
const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString()

if (skip === false) {
  runDatagramContract('unixgram on a path', {
    bind: (options) => bindDatagram(`unixgram:${newPath()}`, options),
    connect: (to, options) => connectDatagram(`unixgram:${pathOf(to)}`, options),
  })
  runDatagramContract('unixgram on an abstract name', {
    bind: (options) => bindDatagram(`unixgram:@moorage-${process.pid}-${(made += 1)}`, options),
    connect: (to, options) => connectDatagram(`unixgram:${pathOf(to)}`, options),
  })
}

test('unixgram: the file has the mode that was asked for, and is removed on close', { skip }, async () => {
  const path = newPath()
  const socket = await bindDatagram(`unixgram:${path}?mode=640`)
  assert.equal(statSync(path).mode & 0o777, 0o640)
  await socket.close()
  assert.equal(existsSync(path), false)
})

test('unixgram: a stale file is replaced, a live socket and other files are not', { skip }, async () => {
  const path = newPath()
  const descriptor = addon?.openUnixgram(path, -1) ?? -1
  await assert.rejects(bindDatagram(`unixgram:${path}`), code('ERR_ADDRESS_IN_USE'))
  addon?.closeFd(descriptor)
  assert.equal(existsSync(path), true)
  const socket = await bindDatagram(`unixgram:${path}`)
  await assert.rejects(bindDatagram(`unixgram:${path}`), code('ERR_ADDRESS_IN_USE'))
  await socket.close()
  writeFileSync(path, 'not a socket')
  await assert.rejects(bindDatagram(`unixgram:${path}`), code('ERR_UNIX_PATH'))
  assert.equal(existsSync(path), true)
})

test(
  'unixgram: a path of 107 bytes fits, one of 108 is ERR_UNIX_PATH; a missing folder is an error',
  { skip },
  async () => {
    const fits = join(folder, 'x'.repeat(107 - folder.length - 1))
    await (await bindDatagram(`unixgram:${fits}`)).close()
    await assert.rejects(bindDatagram(`unixgram:${fits}x`), code('ERR_UNIX_PATH'))
    await assert.rejects(bindDatagram(`unixgram:${folder}/none/x.sock`), code('ERR_SOCKET'))
  },
)

test(
  'unixgram: connecting where nobody is bound is ERR_DATAGRAM_UNREACHABLE and leaves no file',
  { skip },
  async () => {
    const localPath = newPath()
    await assert.rejects(connectDatagram(`unixgram:${newPath()}`, { localPath }), code('ERR_DATAGRAM_UNREACHABLE'))
    assert.equal(existsSync(localPath), false)
  },
)

test('unixgram: a peer without a name is shown as unnamed, and cannot be answered', { skip }, async () => {
  const path = newPath()
  await using server = await bindDatagram(`unixgram:${path}`)
  addon?.notify(path, 'from nobody')
  const datagram = await server.receive({ timeoutMs: 5000 })
  assert.deepEqual(datagram?.remote, { kind: 'unix', path: '' })
  assert.equal(text(datagram.data), 'from nobody')
  await assert.rejects(server.send('?', datagram.remote), code('ERR_DATAGRAM_UNREACHABLE'))
})

test('unixgram: a peer that does not read holds up no other, and what it never took is counted', { skip }, async () => {
  const deaf = newPath()
  const descriptor = addon?.openUnixgram(deaf, -1) ?? -1
  await using server = await bindDatagram(`unixgram:${newPath()}`, { sendQueueCount: 400 })
  await using client = await connectDatagram(`unixgram:${pathOf(server.local)}`)
  const outcomes = Array.from({ length: 2000 }, () => server.send('x', { kind: 'unix', path: deaf }))
  const settled = await Promise.allSettled(outcomes)
  const refused = settled.filter(({ status }) => status === 'rejected').length
  assert.ok(refused > 0, 'the queue of one peer is bounded')
  assert.ok(server.bufferedBytes > 0)
  await server.send('you go first', client.local)
  assert.equal(text((await client.receive({ timeoutMs: 5000 }))?.data), 'you go first')
  const before = server.statistics
  assert.equal(before.sendDropped, refused)
  await server.close()
  const { sent, sendDropped } = server.statistics
  assert.equal(sent + sendDropped, 2001)
  addon?.closeFd(descriptor)
})

test('unixgram: a stalled peer that reads again gets its datagrams in order', { skip }, async () => {
  const slow = newPath()
  const descriptor = addon?.openUnixgram(slow, -1) ?? -1
  await using server = await bindDatagram(`unixgram:${newPath()}`)
  const count = 700
  const outcomes = Array.from({ length: count }, (_, i) => server.send(String(i), { kind: 'unix', path: slow }))
  const settled = await Promise.allSettled(outcomes)
  const accepted = settled.flatMap(({ status }, i) => (status === 'fulfilled' ? [String(i)] : []))
  await using reader = await adoptDatagram(descriptor)
  const got: string[] = []
  while (got.length < accepted.length) got.push(text((await reader.receive({ timeoutMs: 5000 }))?.data))
  assert.deepEqual(got, accepted)
})

test("unixgram: Python's socket module can talk to it", { skip: skip || !existsSync('/usr/bin/python3') }, async () => {
  await using server = await bindDatagram(`unixgram:${newPath()}`)
  server.sinkTo((data, remote) => void server.send(data, remote))
  const program = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[2]); s.settimeout(5)
for i in range(20):
    s.sendto(b'python %d' % i, sys.argv[1])
    data, peer = s.recvfrom(100)
    assert data == b'python %d' % i and peer == sys.argv[1], (data, peer)
print('ok')
`
  const child = spawn('/usr/bin/python3', ['-c', program, pathOf(server.local), newPath()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  for await (const chunk of child.stdout) output += String(chunk)
  assert.equal(output.trim(), 'ok')
})

test(
  'unixgram: a connected socket whose peer does not read queues up to its bound, then goes on in order',
  { skip },
  async () => {
    const deaf = newPath()
    const descriptor = addon?.openUnixgram(deaf, -1) ?? -1
    await using client = await connectDatagram(`unixgram:${deaf}`, { sendQueueCount: 64, sendHighWaterBytes: 1 })
    const state: string[] = []
    const sends: Promise<void>[] = []
    for (let i = 0; i < 1500; i += 1) {
      const sending = client.send(String(i))
      sends.push(sending)
      sending.then(
        () => (state[i] = 'sent'),
        (error: unknown) => (state[i] = String(errorCodeOf(error))),
      )
      // Sometimes a batch, sometimes one alone, so that the queue is filled in different steps.
      if (i % 7 === 0) await nextTurn()
    }
    await nextTurn()
    const waiting = Array.from({ length: 1500 }, (_, i) => i).filter((i) => state[i] === undefined)
    assert.equal(waiting.length, 64)
    const refused = state.filter((outcome) => outcome === 'ERR_QUEUE_LIMIT').length
    assert.equal(client.statistics.sendDropped, refused)
    assert.equal(client.statistics.sent + refused + 64, 1500)
    await using reader = await adoptDatagram(descriptor, { receiveQueueCount: 5000 })
    const got: number[] = []
    while (got.length < 1500 - refused) got.push(Number(text((await reader.receive({ timeoutMs: 5000 }))?.data)))
    assert.deepEqual(
      got,
      [...got].sort((a, b) => a - b),
    )
    await Promise.allSettled(sends)
    assert.equal(client.statistics.sent, got.length)
    assert.equal(client.bufferedBytes, 0)
    await client.send('and one more')
    assert.equal(text((await reader.receive({ timeoutMs: 5000 }))?.data), 'and one more')
  },
)

test('unixgram: destroy rejects the sends that still wait with ERR_CLOSED, and counts them', { skip }, async () => {
  const deaf = newPath()
  const descriptor = addon?.openUnixgram(deaf, -1) ?? -1
  const client = await connectDatagram(`unixgram:${deaf}`, { sendQueueCount: 10, sendHighWaterBytes: 1 })
  while (client.bufferedBytes === 0) {
    void client.send('full')
    await nextTurn()
  }
  const { sent } = client.statistics
  const waiting = client.send('in vain')
  client.destroy()
  await assert.rejects(waiting, { code: 'ERR_CLOSED' })
  assert.equal(client.statistics.sent, sent)
  assert.equal(client.statistics.sendDropped, 2)
  addon?.closeFd(descriptor)
})

test('unixgram: close waits for a peer that does not read, but not for ever', { skip }, async () => {
  const deaf = newPath()
  const descriptor = addon?.openUnixgram(deaf, -1) ?? -1
  const client = await connectDatagram(`unixgram:${deaf}`)
  while (client.bufferedBytes === 0) {
    void client.send('full')
    await nextTurn()
  }
  await client.close()
  assert.equal(client.statistics.sendDropped, 1)
  addon?.closeFd(descriptor)
})

test('unixgram: receiveBufferBytes and sendBufferBytes reach the system', { skip }, async () => {
  const descriptor = addon?.openUnixgram('', -1) ?? -1
  await using socket = await adoptDatagram(descriptor, { receiveBufferBytes: 50_000, sendBufferBytes: 60_000 })
  assert.match(socket.local.kind === 'unix' ? socket.local.path : '', /^@/)
  // Linux doubles what is asked for.
  assert.equal(addon?.socketOption(descriptor, 'receiveBuffer'), 100_000)
  assert.equal(addon?.socketOption(descriptor, 'sendBuffer'), 120_000)
})
