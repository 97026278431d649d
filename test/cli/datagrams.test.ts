import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { until } from '#src/testing/contract-row.js'
import { connectDatagram } from '#src/transport/datagrams.js'
import { main, missing, moorage, portOf, start, stopAll, type Program } from './_programs.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-datagrams-'))
const PYTHON = '/usr/bin/python3'
const NEEDED = { timeout: 30_000, skip: missing(PYTHON) }

/** Prints its port, and then each datagram on a line, with its length and in hexadecimal; it greets the port it is given. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4000000)
s.bind(('127.0.0.1', 0))
print('port', s.getsockname()[1], flush=True)
if len(sys.argv) > 1: s.sendto(b'hello\\n', ('127.0.0.1', int(sys.argv[1])))
while True:
    data = s.recv(70000)
    print('got', len(data), data[:99].hex(), flush=True)
`

const receiver = (...args: readonly string[]): Program => start(PYTHON, ['-c', RECEIVER, ...args])

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex')

/** Waits for so many datagrams, each told in a line that is whole, and gives them as they came. */
async function datagrams(program: Program, count: number): Promise<string[]> {
  const told = (): string[] => [...program.out.matchAll(/^got \d+ (\w+)\n/gm)].map(([, data = '']) => data)
  await until(`${count} datagrams`, () => told().length >= count)
  return told()
}

for (const [name, args, sent] of [
  ['--lines', ['--lines'], ['\n', 'caf\xc3\xa9\n', '\xff\xfe\n', 'no end']],
  ['--crlf', ['--crlf'], ['\r\n', 'caf\xc3\xa9\r\n', '\xff\xfe\r\n', 'no end']],
] as const) {
  test(`connect ${name} sends a datagram a line, its bytes as they are, however the input is cut`, NEEDED, async () => {
    const peer = receiver()
    const program = moorage(['connect', `udp://127.0.0.1:${await peer.says(/port (\d+)/)}`, ...args, '--hex'])
    program.input.write(Buffer.from('\ncaf\xc3', 'latin1'))
    await datagrams(peer, 1)
    program.input.write(Buffer.from('\xa9\n\xff\xfe\nno', 'latin1'))
    await datagrams(peer, 3)
    program.input.end(' end')
    assert.deepEqual(await datagrams(peer, 4), sent.map(hex))
    assert.equal(await program.ends(), 0, program.err)
  })

  test(`listen ${name} sends a datagram a line to the last sender`, NEEDED, async () => {
    const program = moorage(['listen', 'udp://127.0.0.1:0', ...args])
    const port = portOf(await program.listening())
    program.input.write(Buffer.from('\ncaf\xc3\xa9\n\xff\xfe\nno', 'latin1'))
    const peer = receiver(port)
    await datagrams(peer, 3)
    program.input.end(' end')
    assert.deepEqual(await datagrams(peer, 4), sent.map(hex))
    assert.match(program.out, /^hello$/m)
  })
}

test('without --lines a long input is cut into datagrams that fit', NEEDED, async () => {
  const peer = receiver()
  const file = join(folder, 'long')
  writeFileSync(file, Buffer.alloc(100_000, 'x'))
  const line = 'exec "$0" "$1" connect "$2" --wait 10ms < "$3"'
  const endpoint = `udp://127.0.0.1:${await peer.says(/port (\d+)/)}`
  const program = start('sh', ['-c', line, process.execPath, main, endpoint, file])
  assert.equal(await program.ends(), 0, program.err)
  const received = (): number =>
    [...peer.out.matchAll(/^got (\d+) /gm)].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
  await until('all 100,000 bytes', () => received() === 100_000)
})

test('a line that fits in no datagram is one line of error', NEEDED, async () => {
  const peer = receiver()
  const program = moorage(['connect', `udp://127.0.0.1:${await peer.says(/port (\d+)/)}`, '--lines'])
  program.input.end(`${'x'.repeat(65_507)}\n`)
  assert.equal(await program.ends(), 1)
  assert.match(program.err, /^moorage: Cannot send a datagram of 65508 bytes: at most 65507 fit\n$/)
})

test('the first Ctrl-C ends connect over datagrams, though its input goes on', NEEDED, async () => {
  const peer = receiver()
  const program = moorage(['connect', `udp://127.0.0.1:${await peer.says(/port (\d+)/)}`])
  program.input.write('one\n')
  await datagrams(peer, 1)
  program.child.kill('SIGINT')
  assert.equal(await program.ends(), 0, program.err)
})

test('listen -x shows both directions of datagrams', NEEDED, async () => {
  const program = moorage(['listen', 'udp://127.0.0.1:0', '-x'])
  const socket = await connectDatagram(await program.listening())
  await socket.send('hi\n')
  await program.says(/^< 00000000 {2}68 69 0a/m)
  program.input.write('ho\n')
  await program.says(/^> 00000000 {2}68 6f 0a/m)
  await socket.close()
})

afterEach(stopAll)
after(() => rmSync(folder, { recursive: true, force: true }))
