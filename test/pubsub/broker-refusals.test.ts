import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openBroker } from '#src/pubsub/open-broker.js'
import { freePort } from '../fixtures/free-port.js'
import { NatsServer, noNats } from '../fixtures/nats.js'
import { Program } from '../fixtures/program.js'
import { noRedis, RedisServer } from '../fixtures/redis.js'

/** The code and the message of what a broker could not be opened for. */
async function refusal(url: string): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await (await openBroker(url)).close()
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error)
    assert.doesNotMatch(error.message, /secret|wr0ng|\n/)
    return { code: String(error.code), message: error.message }
  }
  throw new Error('It was opened')
}

test('what is wrong with a URL is said in a line, without its password', async () => {
  for (const [url, why] of [
    ['redis://u:secret@host/first', /the database is no number/],
    ['redis://u:secret@host?prefix=a%20b', /the prefix has other characters/],
    ['redis://u:secret@host?prefixes=a', /the parameter "prefixes" is not known/],
    ['rediss://u:secret@', /a host is missing/],
    ['redis:host', /a host is missing/],
    ['nats://u:secret@host/a', /it has a path/],
    ['nats://u:secret@host?prefix=a.b', /the prefix has other characters/],
    ['nats://host?storage=disk', /storage is "file" or "memory"/],
    ['nats://host?replicas=2', /replicas are 1, 3 or 5/],
    ['tls://u:secret@host?ca=x', /the parameter "ca" is not known/],
    ['amqp://u:secret@host', /"amqp" is not known; known are memory:/],
  ] as const) {
    const { code, message } = await refusal(url)
    assert.equal(code, 'ERR_BROKER_URL')
    assert.match(message, why)
  }
})

for (const scheme of ['redis', 'nats'] as const) {
  test(`${scheme}: nobody listens, and no such name: one line that says what to do`, async () => {
    const port = await freePort()
    assert.deepEqual(await refusal(`${scheme}://u:secret@127.0.0.1:${port}`), {
      code: 'ERR_BROKER_AWAY',
      message: `Cannot reach ${scheme}://127.0.0.1:${port}: nothing listens there; start it, or correct the host and the port`,
    })
    const { code, message } = await refusal(`${scheme}://no-such-host.invalid:1234`)
    assert.deepEqual(
      [code, message],
      [
        'ERR_BROKER_AWAY',
        `Cannot reach ${scheme}://no-such-host.invalid:1234: its name is not known; correct the host`,
      ],
    )
  })
}

test('redis: a password that is missing, wrong or right', { skip: noRedis }, async (context) => {
  const redis = await RedisServer.start(context, { password: 'secret' })
  const address = `127.0.0.1:${redis.port}`
  for (const user of ['', ':wr0ng@', 'nobody:secret@']) {
    const { code, message } = await refusal(`redis://${user}${address}`)
    assert.equal(code, 'ERR_BROKER_AUTH', message)
    assert.match(message, /refuses the user or the password/)
  }
  await using broker = await openBroker(`redis://:secret@${address}`)
  assert.equal((await broker.room('a').publish('1')).offset, 1)
})

test('nats: a password or a token that is missing, wrong or right', { skip: noNats }, async (context) => {
  const byPassword = await NatsServer.start(context, { more: ['--user', 'ann', '--pass', 'secret'] })
  const byToken = await NatsServer.start(context, { more: ['--auth', 'secret'] })
  const refused = [
    ...['', 'ann:wr0ng@', 'wr0ng@', 'bob:secret@'].map((user) => `nats://${user}127.0.0.1:${byPassword.port}`),
    ...['', 'wr0ng@'].map((user) => `nats://${user}127.0.0.1:${byToken.port}`),
  ]
  for (const url of refused) {
    const { code, message } = await refusal(url)
    assert.equal(code, 'ERR_BROKER_AUTH', message)
  }
  for (const url of [`nats://ann:secret@127.0.0.1:${byPassword.port}`, `nats://secret@127.0.0.1:${byToken.port}`]) {
    await using broker = await openBroker(url)
    assert.equal((await broker.room('a').publish('1')).offset, 1)
  }
})

test('nats: a server without JetStream says what is missing', { skip: noNats }, async (context) => {
  const nats = await NatsServer.start(context, { jetstream: false })
  const { code, message } = await refusal(nats.url())
  assert.equal(code, 'ERR_BROKER_AWAY')
  assert.match(message, /without JetStream.*-js/)
})

test('a client that is not installed: one line with the command that installs it', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'moorage-no-client-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const dist = fileURLToPath(new URL('../../../dist', import.meta.url))
  cpSync(dist, join(folder, 'dist'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(folder, 'open.js'),
    "import { openBroker } from './dist/pubsub/index.js'\n" +
      'await openBroker(process.argv[2]).catch((error) => console.log(`${error.code}: ${error.message}`))\n',
  )
  for (const [url, packages] of [
    ['redis://u:secret@127.0.0.1:1', 'redis'],
    ['nats://u:secret@127.0.0.1:1', '@nats-io/transport-node @nats-io/jetstream'],
  ] as const) {
    const program = new Program(context, process.execPath, [join(folder, 'open.js'), url])
    await program.exited
    assert.equal(
      program.stdout + program.stderr,
      `ERR_BROKER_PACKAGE: Cannot open ${url.replace('u:secret@', '')}: its client is not installed; run: npm install ${packages}\n`,
    )
  }
})
