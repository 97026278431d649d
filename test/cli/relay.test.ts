import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { serve } from '#src/server/serve.js'
import { readAll } from '#src/testing/connection-pair.js'
import { patternBytes } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'
import type { Datagram } from '#src/transport/datagram-socket.js'
import { bindDatagram } from '#src/transport/datagrams.js'
import { listen } from '#src/transport/listen.js'
import { localhostCertificate } from '../fixtures/certificates.js'
import { missing, moorage, start, stopAll } from './_programs.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-relay-'))
const { cert, key } = await localhostCertificate()
const certFile = join(folder, 'cert.pem')
const keyFile = join(folder, 'key.pem')
writeFileSync(certFile, cert)
writeFileSync(keyFile, key)
const TIMEOUT = { timeout: 30_000 }
const ANY = 'tcp://127.0.0.1:0'

/** Answers only when it was told all: what came, in capitals. */
const shoutAtTheEnd = async (connection: Connection): Promise<void> => {
  await connection.write(
    Buffer.from(await readAll(connection))
      .toString()
      .toUpperCase(),
  )
}

/** A server whose one connection the test holds: what it says is what goes through the relay. */
async function held(): Promise<{ readonly endpoint: string; readonly accepted: Promise<Connection> }> {
  const listener = await listen(ANY)
  const accepted = listener.accept().then(async (connection) => {
    await listener.close()
    assert.ok(connection !== null)
    return connection
  })
  return { endpoint: listener.endpoint, accepted }
}

for (const [name, endpoint, more] of [
  ['TCP to Unix', `unix:${join(folder, 'shout.sock')}`, []],
  ['TCP to TLS', 'tls://localhost:0', ['--ca', certFile]],
] as const) {
  test(`connect --relay joins ${name}, with half-closes both ways`, TIMEOUT, async () => {
    const server = await serve(endpoint, shoutAtTheEnd, name === 'TCP to TLS' ? { tls: { cert, key } } : {})
    const near = await held()
    const program = moorage(['connect', near.endpoint, '--relay', server.endpoint, ...more])
    const connection = await near.accepted
    await connection.write('half a ')
    await connection.write('stream')
    await connection.closeWrite()
    assert.equal(Buffer.from(await readAll(connection)).toString(), 'HALF A STREAM', program.err)
    assert.equal(await program.ends(), 0, program.err)
    await server.close()
  })
}

test(
  'connect --relay passes on the half-close of the far end, and then all that the near end still says',
  TIMEOUT,
  async () => {
    const [near, far] = [await held(), await held()]
    const program = moorage(['connect', near.endpoint, '--relay', far.endpoint])
    const [one, other] = await Promise.all([near.accepted, far.accepted])
    await other.closeWrite()
    assert.equal(await one.read(), null)
    const sent = Buffer.from(patternBytes(3_000_000))
    const writing = one.write(sent).then(() => one.closeWrite())
    assert.equal(Buffer.compare(Buffer.from(await readAll(other)), sent), 0)
    await writing
    assert.equal(await program.ends(), 0, program.err)
  },
)

test(
  'connect --relay joins socat and openssl s_server',
  { ...TIMEOUT, skip: missing('socat', 'openssl') },
  async () => {
    const secure = start('openssl', ['s_server', '-accept', '127.0.0.1:0', '-cert', certFile, '-key', keyFile])
    const port = await secure.says(/ACCEPT \S*:(\d+)/)
    const path = join(folder, 'socat.sock')
    const plain = start('socat', ['-dd', `UNIX-LISTEN:${path}`, 'STDIO'])
    await plain.says('listening on')
    moorage(['connect', `unix:${path}`, '--relay', `tls://localhost:${port}`, '--ca', certFile])
    plain.input.write('from socat\n')
    await secure.says('from socat\n')
    secure.input.write('from openssl\n')
    await plain.says('from openssl\n')
  },
)

test('listen --relay trusts the authority that --ca names, and no other', TIMEOUT, async () => {
  const server = await serve('tls://localhost:0', shoutAtTheEnd, { tls: { cert, key } })
  const ask = async (...more: readonly string[]) => {
    const program = moorage(['listen', ANY, '--relay', server.endpoint, ...more])
    const client = await connect(await program.listening())
    await client.write('hello')
    await client.closeWrite()
    const answer = await readAll(client).catch(() => new Uint8Array())
    return { answer: Buffer.from(answer).toString(), exit: await program.ends(), err: program.err }
  }
  const trusting = await ask('--ca', certFile)
  assert.deepEqual([trusting.answer, trusting.exit], ['HELLO', 0], trusting.err)
  const refusing = await ask()
  assert.deepEqual([refusing.answer, refusing.exit], ['', 1])
  assert.match(refusing.err, /^moorage: .*self-signed.*$/m)
  assert.doesNotMatch(refusing.err, /^\s+at /m)
  await server.close()
})

test('connect --relay passes datagrams on, both ways', TIMEOUT, async () => {
  const socket = await bindDatagram('udp://127.0.0.1:0')
  const { local } = socket
  assert.ok(local.kind === 'ip')
  const server = await serve('udp://127.0.0.1:0', (datagram) => datagram.reply(`<${String(datagram.data)}>`))
  const client = await bindDatagram('udp://127.0.0.1:0')
  const port = client.local.kind === 'ip' ? client.local.port : 0
  await client.close()
  const near = `udp://127.0.0.1:${local.port}`
  const program = moorage(['connect', near, '--local-port', String(port), '--relay', server.endpoint, '-x'])
  const relay = { kind: 'ip', host: '127.0.0.1', port } as const
  // Until the relay is there, what is sent to it is lost.
  let answer: Datagram | null = null
  while (answer === null) {
    await socket.send('one', relay).catch(() => undefined)
    answer = await socket.receive({ timeoutMs: 50 }).catch(() => null)
  }
  assert.equal(Buffer.from(answer.data).toString(), '<one>')
  program.child.kill('SIGINT')
  assert.equal(await program.ends(), 0, program.err)
  await Promise.all([socket.close(), server.close()])
})

test('a relay whose one end breaks breaks the other, in one line and with 1', TIMEOUT, async () => {
  const [near, far] = [await held(), await held()]
  const program = moorage(['connect', near.endpoint, '--relay', far.endpoint, '--idle', '200ms'])
  const [one, other] = await Promise.all([near.accepted, far.accepted])
  assert.equal(await program.ends(), 1)
  assert.match(program.err, /^moorage: [^\n]*200 ms[^\n]*\n$/)
  for (const end of [one, other]) end.destroy()
})

test('a relay to where nobody listens is one line, and listen -k goes on after it', TIMEOUT, async () => {
  const near = await held()
  const program = moorage(['connect', near.endpoint, '--relay', 'tcp://127.0.0.1:1'])
  assert.equal(await program.ends(), 1)
  assert.match(program.err, /^moorage: [^\n]*127\.0\.0\.1:1[^\n]*\n$/)
  ;(await near.accepted).destroy()
  const listening = moorage(['listen', '-k', ANY, '--relay', 'tcp://127.0.0.1:1'])
  const endpoint = await listening.listening()
  for (let i = 0; i < 2; i += 1) {
    const client = await connect(endpoint)
    assert.equal(await client.read().catch(() => null), null)
    client.destroy()
  }
  await listening.says(/(?:moorage: Cannot connect[^\n]*\n){2}/)
  assert.doesNotMatch(listening.err, /^\s+at /m)
})

afterEach(stopAll)
after(() => rmSync(folder, { recursive: true, force: true }))
