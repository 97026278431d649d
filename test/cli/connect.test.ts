import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { serve } from '#src/server/serve.js'
import { until } from '#src/testing/contract-row.js'
import type { Connection } from '#src/transport/connection.js'
import { listen } from '#src/transport/listen.js'
import { tryLoadNative } from '#src/transport/node/native.js'
import { localhostCertificate } from '../fixtures/certificates.js'
import { missing, moorage, portOf, start, stopAll } from './_programs.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-connect-'))
const { cert, key } = await localhostCertificate()
const certFile = join(folder, 'cert.pem')
const keyFile = join(folder, 'key.pem')
writeFileSync(certFile, cert)
writeFileSync(keyFile, key)
const addon = tryLoadNative() === undefined ? 'the addon is not built' : false
const TIMEOUT = { timeout: 30_000 }

/** Reads to the end, and only then answers: what came, in capitals. */
const shoutAtTheEnd = async (connection: Connection): Promise<void> => {
  let said = ''
  for await (const bytes of connection) said += Buffer.from(bytes).toString()
  await connection.write(said.toUpperCase())
}

test('connect sends its input, half-closes, and prints what comes until the end', TIMEOUT, async () => {
  await using server = await serve('tcp://127.0.0.1:0', shoutAtTheEnd)
  const program = moorage(['connect', server.endpoint])
  program.input.end('one\ntwo\n')
  assert.equal(await program.ends(), 0, program.err)
  assert.equal(program.out, 'ONE\nTWO\n')
})

test('connect passes every byte in both directions', TIMEOUT, async () => {
  await using server = await serve('tcp://127.0.0.1:0', async (connection) => {
    for await (const bytes of connection) await connection.write(bytes)
  })
  const sent = Buffer.from(Array.from({ length: 600_000 }, (_, i) => (i * 31 + (i >> 8)) & 255))
  const program = moorage(['connect', server.endpoint])
  program.input.end(sent)
  assert.equal(await program.ends(), 0, program.err)
  assert.equal(Buffer.compare(Buffer.from(program.out, 'latin1'), sent), 0)
})

test('connect ends when the peer ends, though its input goes on', TIMEOUT, async () => {
  await using server = await serve('tcp://127.0.0.1:0', (connection) => connection.write('bye\n'))
  const program = moorage(['connect', server.endpoint])
  assert.equal(await program.ends(), 0, program.err)
  assert.equal(program.out, 'bye\n')
})

for (const [name, args] of [
  ['nc', (port: string) => ['-l', '-N', '127.0.0.1', port]],
  ['socat', (port: string) => [`TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`, 'STDIO']],
] as const) {
  test(`connect talks to ${name}, both directions`, { ...TIMEOUT, skip: missing(name) }, async () => {
    const port = await freePort()
    const peer = start(name, args(port))
    const program = await connected(`tcp://127.0.0.1:${port}`)
    program.input.write('from here\n')
    await peer.says('from here\n')
    peer.input.write('from there\n')
    await program.says('from there\n')
    program.input.end()
    peer.input.end()
    assert.equal(await program.ends(), 0, program.err)
    assert.deepEqual([peer.out, program.out], ['from here\n', 'from there\n'])
  })
}

test('connect talks to socat over a Unix socket', { ...TIMEOUT, skip: missing('socat') }, async () => {
  const path = join(folder, 'socat.sock')
  start('socat', [`UNIX-LISTEN:${path}`, 'SYSTEM:tr a-z A-Z'])
  const program = await connected(`unix:${path}`)
  program.input.end('shout\n')
  assert.equal(await program.ends(), 0, program.err)
  assert.equal(program.out, 'SHOUT\n')
})

test(
  'connect talks to openssl s_server, verified by its own certificate',
  { ...TIMEOUT, skip: missing('openssl') },
  async () => {
    const peer = start('openssl', [
      's_server',
      '-accept',
      '127.0.0.1:0',
      '-cert',
      certFile,
      '-key',
      keyFile,
      '-naccept',
      '2',
    ])
    const port = await peer.says(/ACCEPT \S*:(\d+)/)
    const program = moorage(['connect', `tls://localhost:${port}`, '--ca', certFile])
    program.input.write('secret\n')
    await peer.says('secret\n')
    peer.input.write('answer\n')
    await program.says('answer\n')
  },
)

test('connect refuses a certificate that nobody vouches for, and --insecure takes it', TIMEOUT, async () => {
  await using server = await serve('tls://127.0.0.1:0', shoutAtTheEnd, { tls: { cert, key } })
  const refused = moorage(['connect', server.endpoint])
  refused.input.end()
  assert.equal(await refused.ends(), 1)
  assert.match(refused.err, /self-signed/)
  const taken = moorage(['connect', server.endpoint, '--insecure'])
  taken.input.end('x')
  assert.equal(await taken.ends(), 0, taken.err)
  assert.equal(taken.out, 'X')
})

test('connect -z tells which endpoints are open, by words and by its exit code', TIMEOUT, async () => {
  await using listener = await listen('tcp://127.0.0.1:0')
  const open = moorage(['connect', '-z', listener.endpoint])
  assert.equal(await open.ends(), 0)
  assert.match(open.out + open.err, /is open/)
  const mixed = moorage(['connect', '-z', listener.endpoint, 'tcp://127.0.0.1:1'])
  assert.equal(await mixed.ends(), 1)
})

test('connect --hex shows both directions on stderr, and --crlf sends lines with CR LF', TIMEOUT, async () => {
  await using server = await serve('tcp://127.0.0.1:0', shoutAtTheEnd)
  const program = moorage(['connect', server.endpoint, '--hex', '--crlf'])
  program.input.end('hi\n')
  assert.equal(await program.ends(), 0)
  assert.equal(program.out, 'HI\r\n')
  assert.match(program.err, /^> 00000000 {2}68 69 0d 0a .* hi\.\.$/m)
  assert.match(program.err, /^< 00000000 {2}48 49 0d 0a .* HI\.\.$/m)
})

test('connect --exec joins the connection to a command', TIMEOUT, async () => {
  await using server = await serve('tcp://127.0.0.1:0', async (connection) => {
    await connection.write('please shout this\n')
    await connection.closeWrite()
    for await (const line of connection.lines()) heard.push(line)
  })
  const heard: string[] = []
  const program = moorage(['connect', server.endpoint, '--exec', 'tr a-z A-Z'])
  assert.equal(await program.ends(), 0, program.err)
  assert.deepEqual(heard, ['PLEASE SHOUT THIS\n'])
})

test('connect --idle gives up when nothing moves', TIMEOUT, async () => {
  await using listener = await listen('tcp://127.0.0.1:0')
  const program = moorage(['connect', listener.endpoint, '--idle', '100ms'])
  assert.equal(await program.ends(), 1)
  assert.match(program.err, /100 ms/)
})

for (const [name, endpoint, skip] of [
  ['udp', 'udp://127.0.0.1:0', false],
  ['unixgram', `unixgram:${join(folder, 'datagrams.sock')}`, addon],
] as const) {
  test(`connect sends a datagram a line over ${name}, and prints the answers`, { ...TIMEOUT, skip }, async () => {
    await using server = await serve(endpoint, async (datagram) => {
      await datagram.reply(Buffer.from(datagram.data).toString().toUpperCase())
    })
    const program = moorage(['connect', server.endpoint, '--lines'])
    program.input.write('one\ntwo\n')
    await program.says('ONE\nTWO\n')
    program.input.end()
    assert.equal(await program.ends(), 0, program.err)
    assert.equal(program.out, 'ONE\nTWO\n')
  })
}

test('the first Ctrl-C ends connect', TIMEOUT, async () => {
  await using server = await serve('tcp://127.0.0.1:0', async (connection) => {
    await connection.write('here\n')
    await connection.read()
  })
  const program = moorage(['connect', server.endpoint])
  await program.says('here')
  program.child.kill('SIGINT')
  assert.notEqual(await program.ends(), null)
  assert.doesNotMatch(program.err, /^\s+at /m)
})

/** A port that was free a moment ago, for programs that cannot choose one. */
async function freePort(): Promise<string> {
  await using listener = await listen('tcp://127.0.0.1:0')
  const port = portOf(listener.endpoint)
  return port
}

/** Connected as soon as somebody listens there. */
async function connected(endpoint: string): Promise<ReturnType<typeof moorage>> {
  for (;;) {
    const program = moorage(['connect', endpoint, '--verbose'])
    const isUp = () => program.err.includes('connected: ')
    await until('a connection or an end', () => isUp() || program.child.exitCode !== null)
    if (isUp()) return program
  }
}

afterEach(stopAll)
after(() => rmSync(folder, { recursive: true, force: true }))
