import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { BrokenError, NetError } from '#src/base/errors.js'
import { bindDatagram } from '#src/transport/datagrams.js'
import { fromSystemError } from '#src/transport/node/errno.js'
import { requireNative, tryLoadNative } from '#src/transport/node/native.js'
import { findPortHolder, inodesOfPort } from '#src/transport/node/port-holder.js'
import { sdNotify, watchdogIntervalMs } from '#src/transport/node/sd-notify.js'

const skip = tryLoadNative() === undefined ? 'the addon is not built' : false
const code = (expected: string): object => ({ code: expected })
const systemError = (name: string): Error => Object.assign(new Error(name), { code: name })

function withEnvironment(values: Readonly<Record<string, string>>, body: () => void): void {
  const before = { ...process.env }
  try {
    Object.assign(process.env, values)
    body()
  } finally {
    for (const name of Object.keys(values)) {
      const old = before[name]
      if (old === undefined) delete process.env[name]
      else process.env[name] = old
    }
  }
}

test('fromSystemError gives each system code the code of the table, and keeps the cause', () => {
  const rows = [
    ['EADDRINUSE', 'ERR_ADDRESS_IN_USE'],
    ['EACCES', 'ERR_ACCESS'],
    ['EPERM', 'ERR_ACCESS'],
    ['EADDRNOTAVAIL', 'ERR_ADDRESS_NOT_AVAILABLE'],
    ['ECONNRESET', 'ERR_PEER_RESET'],
    ['EPIPE', 'ERR_PEER_GONE'],
    ['EMFILE', 'ERR_DESCRIPTORS_EXHAUSTED'],
    ['ENFILE', 'ERR_DESCRIPTORS_EXHAUSTED'],
    ['ENOTFOUND', 'ERR_RESOLVE'],
    ['EAI_AGAIN', 'ERR_RESOLVE'],
    ['EIO', 'ERR_SOCKET'],
    ['toString', 'ERR_SOCKET'],
  ] as const
  for (const [systemCode, expected] of rows) {
    const cause = systemError(systemCode)
    const error = fromSystemError('try it', cause)
    assert.equal(error.code, expected, systemCode)
    assert.equal(error.cause, cause)
    assert.equal(error.details['systemCode'], systemCode)
  }
  assert.ok(fromSystemError('x', systemError('EPIPE')) instanceof BrokenError)
  const ours = new NetError('ERR_ACCESS', 'ours')
  assert.equal(fromSystemError('x', ours), ours)
  assert.equal(fromSystemError('x', 'no error at all').code, 'ERR_SOCKET')
})

test(
  'findPortHolder names this process for a TCP listener of its own',
  { skip: process.platform !== 'linux' },
  async () => {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    assert.equal((await findPortHolder('tcp', port))?.pid, process.pid)
    server.close()
  },
)

test('inodesOfPort reads the kernel table: port, state, and no line without an inode', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0',
    '   1: 0100007F:2328 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0',
    '   2: 0100007F:2329 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0',
    '   3: 0100007F:2328 00000000:0000 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0',
    '',
  ].join('\n')
  assert.deepEqual(inodesOfPort(table, 0x2328, '0A'), ['4711'])
  assert.deepEqual(inodesOfPort(table, 0x2328, undefined), ['4711', '4712'])
  assert.deepEqual(inodesOfPort(table, 1, undefined), [])
})

test(
  'sdNotify sends to NOTIFY_SOCKET, also an abstract one, and does nothing where nobody asks',
  { skip },
  async () => {
    assert.equal(sdNotify('READY=1'), false)
    const path = `@moorage-notify-${process.pid}`
    await using manager = await bindDatagram(`unixgram:${path}`)
    withEnvironment({ NOTIFY_SOCKET: path }, () => assert.equal(sdNotify('READY=1\nSTATUS=up'), true))
    const datagram = await manager.receive({ timeoutMs: 5000 })
    assert.equal(Buffer.from(datagram?.data ?? []).toString(), 'READY=1\nSTATUS=up')
    await manager.close()
    withEnvironment({ NOTIFY_SOCKET: path }, () => assert.throws(() => sdNotify('READY=1'), code('ERR_SOCKET')))
  },
)

test('watchdogIntervalMs reads systemd’s variables, and only for this process', () => {
  assert.equal(watchdogIntervalMs(), undefined)
  withEnvironment({ WATCHDOG_USEC: '30000000' }, () => assert.equal(watchdogIntervalMs(), 30_000))
  const mine = { WATCHDOG_USEC: '1500', WATCHDOG_PID: String(process.pid) }
  withEnvironment(mine, () => assert.equal(watchdogIntervalMs(), 1.5))
  withEnvironment({ ...mine, WATCHDOG_PID: '1' }, () => assert.equal(watchdogIntervalMs(), undefined))
  withEnvironment({ WATCHDOG_USEC: '-1' }, () => assert.equal(watchdogIntervalMs(), undefined))
})

test('MOORAGE_NATIVE=off leaves UDP working and unixgram with ERR_NATIVE_MISSING', async () => {
  withEnvironment({ MOORAGE_NATIVE: 'off' }, () => {
    assert.equal(tryLoadNative(), undefined)
    assert.throws(() => requireNative('this'), code('ERR_NATIVE_MISSING'))
  })
  process.env['MOORAGE_NATIVE'] = 'off'
  try {
    await assert.rejects(bindDatagram('unixgram:/nowhere/x'), code('ERR_NATIVE_MISSING'))
    await assert.rejects(bindDatagram('udp://127.0.0.1:0', { native: 'always' }), code('ERR_NATIVE_MISSING'))
    await (await bindDatagram('udp://127.0.0.1:0')).close()
  } finally {
    delete process.env['MOORAGE_NATIVE']
  }
})

test(
  'the addon’s calls on descriptors report what the system says, and dup is independent of its original',
  { skip },
  () => {
    const addon = requireNative('this test')
    assert.throws(() => addon.dup(9999), { code: 'EBADF', syscall: 'dup' })
    assert.throws(() => addon.openUdp('not numeric', 0, 0), { code: 'EINVAL', syscall: 'bind' })
    const first = addon.listenTcp('127.0.0.1', 0, 2, 16)
    const name = addon.localName(first)
    const copy = addon.dup(first)
    addon.closeFd(first)
    assert.deepEqual(addon.localName(copy), name)
    const second = addon.listenTcp('127.0.0.1', Number(name[1]), 2, 16)
    addon.closeFd(copy)
    addon.closeFd(second)
    assert.throws(() => addon.closeFd(9999), { code: 'EBADF', syscall: 'close' })
  },
)
