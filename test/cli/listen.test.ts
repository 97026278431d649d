import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { serve } from '#src/server/serve.js'
import { readAll } from '#src/testing/connection-pair.js'
import { patternBytes, turns } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'
import { tryLoadNative } from '#src/transport/node/native.js'
import { localhostCertificate } from '../fixtures/certificates.js'
import { missing, moorage, portOf, start, stopAll } from './_programs.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-listen-'))
const { cert, key } = await localhostCertificate()
const certFile = join(folder, 'cert.pem')
const keyFile = join(folder, 'key.pem')
writeFileSync(certFile, cert)
writeFileSync(keyFile, key)
const secured = ['--tls-cert', certFile, '--tls-key', keyFile]
const addon = tryLoadNative() === undefined ? 'the addon is not built' : false
const TIMEOUT = { timeout: 30_000 }
const ANY = 'tcp://127.0.0.1:0'

test('listen and connect talk to each other, with half-closes both ways', TIMEOUT, async () => {
  const near = moorage(['listen', ANY])
  const far = moorage(['connect', await near.listening()])
  far.input.end('question\n')
  await near.says('question\n')
  near.input.end('answer\n')
  assert.deepEqual([await far.ends(), await near.ends()], [0, 0], far.err + near.err)
  assert.deepEqual([far.out, near.out.replace(/^listening.*\n/, '')], ['answer\n', 'question\n'])
})

test('listen sends the whole of its input to a peer that ends first', TIMEOUT, async () => {
  const near = moorage(['listen', ANY])
  const client = await connect(await near.listening())
  await client.closeWrite()
  await turns(20)
  const sent = Buffer.from(patternBytes(8_000_000))
  near.input.end(sent)
  assert.equal(Buffer.compare(Buffer.from(await readAll(client)), sent), 0)
  assert.equal(await near.ends(), 0, near.err)
  await client.close()
})

test('listen talks to nc, both directions', { ...TIMEOUT, skip: missing('nc') }, async () => {
  const program = moorage(['listen', ANY])
  const peer = start('nc', ['-N', '127.0.0.1', portOf(await program.listening())])
  peer.input.end('from nc\n')
  await program.says('from nc\n')
  program.input.end('to nc\n')
  assert.equal(await program.ends(), 0, program.err)
  await peer.ends()
  assert.equal(peer.out, 'to nc\n')
})

test(
  'listen talks to nc -U and socat over a Unix socket, one after the other with -k',
  { ...TIMEOUT, skip: missing('nc', 'socat') },
  async () => {
    const path = join(folder, 'unix.sock')
    const program = moorage(['listen', '-k', `unix:${path}`, '--exec', 'tr a-z A-Z'])
    await program.listening()
    for (const peer of [
      start('nc', ['-N', '-U', path]),
      start('socat', ['-t', '5', 'STDIO', `UNIX-CONNECT:${path}`]),
    ]) {
      peer.input.end('shout\n')
      await peer.ends()
      assert.equal(peer.out, 'SHOUT\n', peer.err)
    }
  },
)

test('listen -k --exec serves several clients at once', TIMEOUT, async () => {
  const program = moorage(['listen', '-k', ANY, '--exec', 'cat'])
  const endpoint = await program.listening()
  const clients = await Promise.all(Array.from({ length: 5 }, () => connect(endpoint)))
  for (const [i, client] of clients.entries()) await client.write(`${i}\n`)
  for (const [i, client] of clients.entries()) assert.equal(await client.readLine(), `${i}\n`)
  for (const client of clients) {
    await client.closeWrite()
    assert.equal(await client.read(), null)
    client.destroy()
  }
  program.child.kill('SIGINT')
  assert.equal(await program.ends(), 0, program.err)
})

test('listen --relay joins each connection to another one, with half-closes', TIMEOUT, async () => {
  const server = await serve('tcp://127.0.0.1:0', async (connection) => {
    let said = ''
    for await (const bytes of connection) said += Buffer.from(bytes).toString()
    await connection.write(said.toUpperCase())
  })
  const program = moorage(['listen', '-k', 'tls://127.0.0.1:0', ...secured, '--relay', server.endpoint])
  const client = await connect(await program.listening(), { tls: { ca: cert } })
  await client.write('through the relay')
  await client.closeWrite()
  assert.equal(Buffer.from((await client.read()) ?? []).toString(), 'THROUGH THE RELAY')
  assert.equal(await client.read(), null)
  client.destroy()
  await server.close()
})

test('listen talks to openssl s_client over TLS', { ...TIMEOUT, skip: missing('openssl') }, async () => {
  const program = moorage(['listen', 'tls://127.0.0.1:0', ...secured])
  const address = `127.0.0.1:${portOf(await program.listening())}`
  const peer = start('openssl', [
    's_client',
    '-connect',
    address,
    '-quiet',
    '-CAfile',
    certFile,
    '-verify_return_error',
  ])
  peer.input.write('from openssl\n')
  await program.says('from openssl\n')
  program.input.write('to openssl\n')
  await peer.says('to openssl\n')
})

test('listen --idle closes a connection on which nothing moves', TIMEOUT, async () => {
  const program = moorage(['listen', ANY, '--idle', '100ms'])
  const client = await connect(await program.listening())
  await client.read().catch(() => null)
  assert.notEqual(await program.ends(), null)
  client.destroy()
})

test('listen --hex shows what passes', TIMEOUT, async () => {
  const program = moorage(['listen', ANY, '--hex'])
  const client = await connect(await program.listening())
  await client.write('hi\n')
  await client.closeWrite()
  await program.says(/< 00000000 {2}68 69 0a/)
  client.destroy()
})

for (const [name, endpoint, peer, skip] of [
  ['udp and nc', 'udp://127.0.0.1:0', (port: string) => ['nc', '-u', '-w', '2', '127.0.0.1', port], missing('nc')],
  [
    'unixgram and socat',
    `unixgram:${join(folder, 'd.sock')}`,
    () => ['socat', 'STDIO', `UNIX-SENDTO:${join(folder, 'd.sock')},bind=${join(folder, 'peer.sock')}`],
    addon === false ? missing('socat') : addon,
  ],
] as const) {
  test(`listen prints datagrams and answers the last sender, over ${name}`, { ...TIMEOUT, skip }, async () => {
    const program = moorage(['listen', endpoint])
    const [command = '', ...args] = peer(portOf(await program.listening()))
    const other = start(command, args)
    other.input.write('over there\n')
    await program.says('over there\n')
    program.input.write('over here\n')
    await other.says('over here\n')
    program.child.kill('SIGTERM')
    assert.equal(await program.ends(), 0, program.err)
  })
}

afterEach(stopAll)
after(() => rmSync(folder, { recursive: true, force: true }))
