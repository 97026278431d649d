import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { formatAddress } from '#src/transport/address.js'
import { bindDatagram } from '#src/transport/datagrams.js'
import { tryLoadNative } from '#src/transport/node/native.js'

const python = '/usr/bin/python3'
const withoutPython = existsSync(python) ? false : 'python3 is not installed'
const withoutSocat = spawnSync('socat', ['-V']).status === 0 ? false : 'socat is not installed'
const kinds = tryLoadNative() === undefined ? (['never'] as const) : (['always', 'never'] as const)

async function outputOf(command: string, args: readonly string[], input?: string): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(input)
  let output = ''
  for await (const chunk of child.stdout) output += String(chunk)
  return output
}

for (const native of kinds) {
  test(`udp (native: ${native}): Python's socket module gets its echoes`, { skip: withoutPython }, async () => {
    await using server = await bindDatagram('udp://127.0.0.1:0', { native })
    server.sinkTo((data, remote) => void server.send(data, remote))
    const program = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
to = ('127.0.0.1', int(sys.argv[1]))
for message in (b'', b'x', b'y' * 1400, b'z' * 65507):
    s.sendto(message, to)
    data, peer = s.recvfrom(70000)
    assert data == message and peer == to
print('ok')
`
    const port = server.local.kind === 'ip' ? server.local.port : 0
    assert.equal((await outputOf(python, ['-c', program, String(port)])).trim(), 'ok')
  })

  test(
    `udp (native: ${native}): each of 5,000 peers gets its own answer, also after the table of peers is full`,
    { skip: withoutPython },
    async () => {
      await using server = await bindDatagram('udp://127.0.0.1:0', { native })
      const seen = new Set<string>()
      server.sinkTo((data, remote) => {
        seen.add(formatAddress(remote))
        void server.send(data, remote)
      })
      // Peers differ by address as well as by port; the first ones come back at the end.
      const program = `
import socket, sys
to = ('127.0.0.1', int(sys.argv[1]))
kept = []
for i in range(5000):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.bind(('127.0.%d.%d' % (i // 250 + 1, i % 250 + 1), 0))
    message = b'%d' % i
    s.sendto(message, to)
    assert s.recv(100) == message, i
    if i % 100 == 0: kept.append(s)
    else: s.close()
for s in kept: s.sendto(b'%d' % s.getsockname()[1], to)
for s in kept: assert s.recv(100) == b'%d' % s.getsockname()[1]
print('ok')
`
      const port = server.local.kind === 'ip' ? server.local.port : 0
      assert.equal((await outputOf(python, ['-c', program, String(port)])).trim(), 'ok')
      assert.equal(seen.size, 5000)
    },
  )

  test(`udp (native: ${native}): socat gets its echo`, { skip: withoutSocat }, async () => {
    await using server = await bindDatagram('udp://127.0.0.1:0', { native })
    server.sinkTo((data, remote) => void server.send(data, remote))
    const output = await outputOf('socat', ['-t', '0.5', '-', `UDP4:${formatAddress(server.local)}`], 'by socat\n')
    assert.equal(output, 'by socat\n')
  })

  test(`udp (native: ${native}): one tick's sends to more peers than the table holds each reach their own`, async () => {
    await using sender = await bindDatagram('udp://0.0.0.0:0', { native })
    const listeners = await Promise.all(
      Array.from({ length: 40 }, (_, i) => bindDatagram(`udp://127.2.0.${i + 1}:0`, { native })),
    )
    const sends: Promise<void>[] = []
    for (const listener of listeners) {
      // Nobody listens on these: they only take slots.
      for (let i = 0; i < 75; i += 1) {
        sends.push(
          sender.send('x', { kind: 'ip', host: `127.3.${sends.length >> 7}.${(sends.length & 127) + 1}`, port: 9 }),
        )
      }
      sends.push(sender.send(formatAddress(listener.local), listener.local))
    }
    await Promise.all(sends)
    for (const listener of listeners) {
      const datagram = await listener.receive({ timeoutMs: 5000 })
      assert.equal(Buffer.from(datagram?.data ?? []).toString(), formatAddress(listener.local))
      assert.equal(listener.statistics.received, 1)
      await listener.close()
    }
    assert.equal(sender.statistics.sent, sends.length)
  })
}
