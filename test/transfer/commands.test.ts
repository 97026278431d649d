import assert from 'node:assert/strict'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { localhostCertificate } from '../fixtures/certificates.js'
import { contentOf, folders } from './_both-ends.js'
import { Moorage } from './_processes.js'

const OK = { code: 0, signal: null }

test('moorage send and receive move a folder over TCP with a token, and say what they did', async (context) => {
  const { from, to } = await folders(context)
  await mkdir(join(from, 'tree/empty'), { recursive: true })
  await writeFile(join(from, 'tree/file'), 'data')
  const receiver = new Moorage(context, ['receive', 'tcp://127.0.0.1:0', to, '--once', '--token', 'secret'])
  const endpoint = String((await receiver.event('listening'))['endpoint'])
  const wrong = new Moorage(context, ['send', join(from, 'tree'), endpoint, '--token', 'guess'])
  assert.deepEqual(await wrong.exited, { code: 1, signal: null })
  assert.equal(wrong.lines.at(-1)?.['code'], 'ERR_TRANSFER')
  const sender = new Moorage(context, ['send', join(from, 'tree'), endpoint, '--token', 'secret'])
  assert.deepEqual(await Promise.all([sender.exited, receiver.exited]), [OK, OK])
  assert.deepEqual(await contentOf(to), { tree: '/', 'tree/empty': '/', 'tree/file': 'data' })
  assert.equal((await sender.event('finished'))['failed'], 0)
})

test('moorage send --listen and receive --connect are the other way round', async (context) => {
  const { from, to } = await folders(context)
  await writeFile(join(from, 'file'), 'data')
  const sender = new Moorage(context, ['send', '--listen', join(from, 'file'), 'tcp://127.0.0.1:0'])
  const endpoint = String((await sender.event('listening'))['endpoint'])
  const receiver = new Moorage(context, ['receive', '--connect', endpoint, to])
  assert.deepEqual(await Promise.all([sender.exited, receiver.exited]), [OK, OK])
  assert.deepEqual(await contentOf(to), { file: 'data' })
})

test('moorage receive --tls takes files over TLS', async (context) => {
  const { from, to } = await folders(context)
  await writeFile(join(from, 'file'), 'data'.repeat(100_000))
  const args = ['receive', 'tcp://127.0.0.1:0', to, '--once', '--tls']
  const receiver = new Moorage(context, args, { home: from })
  const endpoint = String((await receiver.event('listening'))['endpoint'])
  const sender = new Moorage(context, ['send', join(from, 'file'), endpoint, '--tls', '--insecure'])
  assert.deepEqual(await Promise.all([sender.exited, receiver.exited]), [OK, OK])
  assert.deepEqual(await readFile(join(to, 'file'), 'utf8'), 'data'.repeat(100_000))
})

test('moorage send --listen and receive --connect go over TLS, with certificates on both sides', async (context) => {
  const { from, to } = await folders(context)
  await writeFile(join(from, 'file'), 'data'.repeat(100_000))
  const mine = await certificateFiles(from, 'mine')
  const theirs = await certificateFiles(from, 'theirs')
  const served = ['--tls-cert', mine.cert, '--tls-key', mine.key, '--tls-client-ca', theirs.cert]
  const line = ['send', '--listen', join(from, 'file'), 'tcp://localhost:0', '--tls', ...served]
  const sender = new Moorage(context, line)
  const endpoint = String((await sender.event('listening'))['endpoint']).replace(/127\.0\.0\.1|\[::1\]/, 'localhost')
  const receive = (...more: readonly string[]) => new Moorage(context, ['receive', '--connect', endpoint, to, ...more])
  const wrong = receive('--ca', theirs.cert)
  assert.deepEqual(await wrong.exited, { code: 1, signal: null })
  assert.equal(wrong.lines.at(-1)?.['code'], 'ERR_TLS_HANDSHAKE')
  const unknown = receive('--ca', mine.cert, '--cert', mine.cert, '--key', mine.key)
  assert.deepEqual(await unknown.exited, { code: 1, signal: null })
  assert.ok(!sender.isGone, 'it waits on for a receiver with a right certificate')
  const receiver = receive('--ca', mine.cert, '--cert', theirs.cert, '--key', theirs.key)
  assert.deepEqual(await Promise.all([sender.exited, receiver.exited]), [OK, OK], JSON.stringify(receiver.lines))
  assert.equal(await readFile(join(to, 'file'), 'utf8'), 'data'.repeat(100_000))
})

test('moorage receive with a certificate and without --tls is TLS all the same', async (context) => {
  const { from, to } = await folders(context)
  await writeFile(join(from, 'file'), 'data')
  const { cert, key } = await certificateFiles(from, 'mine')
  const line = ['receive', 'tcp://127.0.0.1:0', to, '--once', '--tls-cert', cert, '--tls-key', key]
  const receiver = new Moorage(context, line)
  const endpoint = String((await receiver.event('listening'))['endpoint'])
  const sender = new Moorage(context, ['send', join(from, 'file'), endpoint, '--ca', cert])
  assert.deepEqual(await Promise.all([sender.exited, receiver.exited]), [OK, OK], JSON.stringify(sender.lines))
  assert.deepEqual(await contentOf(to), { file: 'data' })
})

async function certificateFiles(
  folder: string,
  name: string,
): Promise<{ readonly cert: string; readonly key: string }> {
  const { cert, key } = await localhostCertificate()
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) }
  await writeFile(files.cert, cert)
  await writeFile(files.key, key)
  return files
}

test('moorage send exits with 1 when a file was refused, and with 2 when the command line is wrong', async (context) => {
  const { from, to } = await folders(context)
  await writeFile(join(from, 'file'), 'new')
  await writeFile(join(to, 'file'), 'old')
  await symlink(from, join(to, 'out'))
  const receiver = new Moorage(context, ['receive', 'tcp://127.0.0.1:0', to])
  const endpoint = String((await receiver.event('listening'))['endpoint'])
  const refused = new Moorage(context, ['send', join(from, 'file'), endpoint])
  assert.equal((await refused.event('file'))['reason'], 'exists')
  assert.equal((await refused.exited).code, 1)
  const rows = [['send', endpoint], ['send', join(from, 'missing'), endpoint], ['receive'], ['send', 'a', 'b']]
  for (const args of rows) assert.equal((await new Moorage(context, args).exited).code, 2, args.join(' '))
  assert.deepEqual(await readFile(join(to, 'file'), 'utf8'), 'old')
})
