import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { NetError } from '#src/base/errors.js'
import { formatAddress, type Address } from '#src/transport/address.js'
import type { DatagramOptions } from '#src/transport/datagram-options.js'
import { adoptDatagram, bindDatagram, connectDatagram } from '#src/transport/datagrams.js'
import { tryLoadNative } from '#src/transport/node/native.js'
import { probeReusePort } from '#src/transport/node/udp-dgram-open.js'
import { runDatagramContract } from './datagram-contract-runner.js'

const addon = tryLoadNative()
const withoutAddon = addon === undefined ? 'the addon is not built' : false
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some((a) => a.address === '::1'))

const endpointOf = (address: Address): string => `udp://${formatAddress(address)}`
const portOf = (address: Address): number => (address.kind === 'ip' ? address.port : 0)
const code = (expected: string): object => ({ code: expected })
const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString()

const kinds = [
  { name: 'addon', native: 'always', skip: withoutAddon },
  { name: 'dgram', native: 'never', skip: false },
] as const

for (const { name, native, skip } of kinds) {
  for (const host of ['127.0.0.1', ...(hasIpv6 ? ['[::1]'] : [])]) {
    if (skip !== false) {
      test(`udp (${name}) on ${host}`, { skip }, () => undefined)
      continue
    }
    runDatagramContract(`udp (${name}) on ${host}`, {
      bind: (options?: DatagramOptions) => bindDatagram(`udp://${host}:0`, { native, ...options }),
      connect: (to, options) => connectDatagram(endpointOf(to), { native, ...options }),
    })
  }

  test(`udp (${name}): the longest datagram of IPv4 goes through, one byte more is refused`, { skip }, async () => {
    await using server = await bindDatagram('udp://127.0.0.1:0', { native })
    await using client = await connectDatagram(endpointOf(server.local), { native })
    await client.send(new Uint8Array(65_507).fill(7))
    const datagram = await server.receive({ timeoutMs: 5000 })
    assert.equal(datagram?.data.length, 65_507)
    assert.equal(datagram.truncated, false)
    await assert.rejects(client.send(new Uint8Array(65_508)), code('ERR_DATAGRAM_SIZE'))
  })

  test(
    `udp (${name}): a peer of another family, port 0 and a name are refused with ERR_ADDRESS_NOT_AVAILABLE or ERR_SOCKET`,
    { skip },
    async () => {
      await using socket = await bindDatagram('udp://127.0.0.1:0', { native })
      await assert.rejects(socket.send('x', { kind: 'ip', host: '::1', port: 9 }), code('ERR_ADDRESS_NOT_AVAILABLE'))
      await assert.rejects(
        socket.send('x', { kind: 'ip', host: '127.0.0.1', port: 0 }),
        code('ERR_ADDRESS_NOT_AVAILABLE'),
      )
      await assert.rejects(socket.send('x', { kind: 'ip', host: 'localhost', port: 9 }), NetError)
      await assert.rejects(socket.send('x', { kind: 'unix', path: '/x' }), code('ERR_ARGUMENT'))
      assert.equal(socket.statistics.sendDropped, 3)
    },
  )

  test(`udp (${name}): a port in use is ERR_ADDRESS_IN_USE and names its holder`, { skip }, async () => {
    await using server = await bindDatagram('udp://127.0.0.1:0', { native })
    await assert.rejects(bindDatagram(endpointOf(server.local), { native }), (error: Error) => {
      assert.equal('code' in error && error.code, 'ERR_ADDRESS_IN_USE')
      if (process.platform === 'linux') assert.ok(error.message.includes(String(process.pid)))
      return true
    })
  })

  test(`udp (${name}): an address of another machine is ERR_ADDRESS_NOT_AVAILABLE`, { skip }, async () => {
    await assert.rejects(bindDatagram('udp://203.0.113.7:0', { native }), code('ERR_ADDRESS_NOT_AVAILABLE'))
  })

  test(
    `udp (${name}): a dual-stack socket shows IPv4 peers as IPv4, and answers them`,
    { skip: skip || !hasIpv6 },
    async () => {
      await using server = await bindDatagram('udp://:0', { native })
      server.sinkTo((data, remote) => void server.send(`${formatAddress(remote).split(':')[0]} ${text(data)}`, remote))
      await using client = await connectDatagram(`udp://127.0.0.1:${portOf(server.local)}`, { native })
      await client.send('hi')
      assert.equal(text((await client.receive({ timeoutMs: 5000 }))?.data), '127.0.0.1 hi')
      await using six = await connectDatagram(`udp://[::1]:${portOf(server.local)}`, { native })
      await six.send('six')
      assert.equal(text((await six.receive({ timeoutMs: 5000 }))?.data), '[ six')
    },
  )

  test(`udp (${name}): ?ipv6only leaves the IPv4 port free`, { skip: skip || !hasIpv6 }, async () => {
    await using six = await bindDatagram('udp://[::]:0?ipv6only', { native })
    await using four = await bindDatagram(`udp://0.0.0.0:${portOf(six.local)}`, { native })
    assert.equal(portOf(four.local), portOf(six.local))
  })

  test(`udp (${name}): multicast on the loopback interface reaches every member`, { skip }, async (t) => {
    const group = '239.255.77.1'
    let first
    try {
      first = await bindDatagram(`udp://0.0.0.0:0?reuseaddr&group=${group}&iface=127.0.0.1`, { native })
    } catch (error) {
      t.skip(`this machine cannot join a group on loopback: ${String(error)}`)
      return
    }
    await using one = first
    const port = portOf(one.local)
    await using two = await bindDatagram(`udp://0.0.0.0:${port}?reuseaddr&group=${group}&iface=lo`, { native })
    await using sender = await bindDatagram('udp://127.0.0.1:0', {
      native,
      multicastInterface: '127.0.0.1',
      multicastTtl: 1,
    })
    await sender.send('to all', { kind: 'ip', host: group, port })
    assert.equal(text((await one.receive({ timeoutMs: 5000 }))?.data), 'to all')
    assert.equal(text((await two.receive({ timeoutMs: 5000 }))?.data), 'to all')
  })

  test(`udp (${name}): IPv6 multicast reaches a member on this machine`, { skip: skip || !hasIpv6 }, async (t) => {
    const host = 'ff02::4d:1'
    const problems: string[] = []
    for (const iface of Object.keys(networkInterfaces())) {
      try {
        await using member = await bindDatagram('udp://[::]:0', { native, groups: [{ group: host, interface: iface }] })
        await using sender = await bindDatagram(`udp://[::]:0?iface=${iface}`, { native })
        await sender.send('six', { kind: 'ip', host, port: portOf(member.local) })
        assert.equal(text((await member.receive({ timeoutMs: 5000 }))?.data), 'six')
        return
      } catch (error) {
        if (!(error instanceof NetError)) throw error
        problems.push(error.message)
      }
    }
    t.skip(`this machine has no interface for IPv6 multicast: ${problems.join('; ')}`)
  })

  test(`udp (${name}): broadcast needs the option, and reaches a socket on all addresses`, { skip }, async () => {
    await using server = await bindDatagram('udp://0.0.0.0:0', { native })
    const to: Address = { kind: 'ip', host: '127.255.255.255', port: portOf(server.local) }
    await using plain = await bindDatagram('udp://127.0.0.1:0', { native })
    await assert.rejects(plain.send('x', to), code('ERR_ACCESS'))
    assert.equal(plain.statistics.sendDropped, 1)
    await using sender = await bindDatagram('udp://127.0.0.1:0?broadcast', { native })
    await sender.send('everybody', to)
    assert.equal(text((await server.receive({ timeoutMs: 5000 }))?.data), 'everybody')
  })

  test(`udp (${name}): a bound descriptor can be taken over`, { skip: withoutAddon }, async () => {
    for (const host of ['127.0.0.1', ...(hasIpv6 ? ['::1'] : [])]) {
      await using server = await adoptDatagram(addon?.openUdp(host, 0, 0) ?? -1, { native })
      await using client = await connectDatagram(endpointOf(server.local), { native })
      await client.send('inherited')
      const datagram = await server.receive({ timeoutMs: 5000 })
      await server.send(datagram?.data ?? '', datagram?.remote)
      assert.equal(text((await client.receive({ timeoutMs: 5000 }))?.data), 'inherited')
    }
    await assert.rejects(adoptDatagram(9999, { native }), code('ERR_DESCRIPTOR'))
    const stream = addon?.listenTcp('127.0.0.1', 0, 0, 1) ?? -1
    await assert.rejects(adoptDatagram(stream, { native }), code('ERR_DESCRIPTOR'))
    addon?.closeFd(stream)
  })

  test(`udp (${name}): reusePort shares a port where it is there`, { skip }, async (t) => {
    if (native === 'never' && !(await probeReusePort())) {
      await assert.rejects(bindDatagram('udp://127.0.0.1:0?reuseport', { native }), code('ERR_UNSUPPORTED'))
      t.diagnostic('dgram of this Node.js has no reusePort')
      return
    }
    await using one = await bindDatagram('udp://127.0.0.1:0?reuseport', { native })
    await using two = await bindDatagram(`${endpointOf(one.local)}?reuseport`, { native })
    assert.deepEqual(two.local, one.local)
  })
}

test('bindDatagram refuses unknown parameters, wrong values, wrong schemes and unknown options, each by its code', async () => {
  await assert.rejects(bindDatagram('udp://127.0.0.1:0?reusport'), code('ERR_ENDPOINT'))
  await assert.rejects(bindDatagram('udp://127.0.0.1:0?ttl=many'), code('ERR_ENDPOINT'))
  await assert.rejects(bindDatagram('udp://127.0.0.1:0?toString'), code('ERR_ENDPOINT'))
  await assert.rejects(bindDatagram('unixgram:/nowhere?reuseport'), code('ERR_ENDPOINT'))
  await assert.rejects(bindDatagram('tcp://127.0.0.1:0'), code('ERR_ENDPOINT_SCHEME'))
  await assert.rejects(connectDatagram('udp://127.0.0.1:0'), code('ERR_ENDPOINT'))
  await assert.rejects(bindDatagram('udp://127.0.0.1:0', { maxDatagramBytes: 65_536 }), code('ERR_OPTION_VALUE'))
  const unknown: object = { recieveQueueCount: 1 }
  await assert.rejects(bindDatagram('udp://127.0.0.1:0', unknown), code('ERR_OPTION_UNKNOWN'))
})

test('bindDatagram rethrows the reason of an aborted signal', async () => {
  const reason = new Error('mine')
  await assert.rejects(
    bindDatagram('udp://localhost:0', { signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  )
})

test('bindDatagram with an unknown interface or name says so', async () => {
  await assert.rejects(bindDatagram('udp://127.0.0.1:0?iface=nosuch0'), code('ERR_ADDRESS_NOT_AVAILABLE'))
  await assert.rejects(bindDatagram('udp://name.invalid:0'), code('ERR_RESOLVE'))
})
