import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until, within } from '#src/testing/contract-row.js'
import { localhostCertificate } from '../fixtures/certificates.js'
import { example } from '../fixtures/example.js'
import { isAlive, start, TOKEN, type Answer } from './_remote-control.js'

const textOf = (answers: readonly Answer[], stream: string): string =>
  answers
    .filter((answer) => answer.stream === stream)
    .map(({ data = '' }) => Buffer.from(data, 'base64').toString())
    .join('')

test('remote control runs what is on its list for who has the token, streams output and gives the exit code', async (context) => {
  const { ask, audit, auditLog } = await start(context)
  const greeted = await ask({ token: TOKEN, command: 'greet', args: ['ann'] })
  assert.equal(textOf(greeted, 'stdout'), 'hello ann\n')
  assert.equal(greeted.at(-1)?.exit, 0)
  const mixed = await ask({ token: TOKEN, command: 'mixed' })
  assert.deepEqual([textOf(mixed, 'stdout'), textOf(mixed, 'stderr'), mixed.at(-1)?.exit], ['out\n', 'err\n', 7])
  const events = audit().map(({ event, command }) => `${String(event)} ${String(command)}`)
  assert.deepEqual(events, ['started greet', 'ended greet', 'started mixed', 'ended mixed'])
  assert.ok(!readFileSync(auditLog, 'utf8').includes(TOKEN))
})

test('remote control refuses wrong tokens, commands off its list and arguments of another form, and spawns nothing', async (context) => {
  const { ask, audit, folder, auditLog } = await start(context)
  const refused = async (request: unknown): Promise<void> => {
    const answers = await ask(request)
    assert.equal(answers.length, 1)
    assert.ok(answers[0]?.error !== undefined)
  }
  await refused({ token: `${TOKEN}!`, command: 'touch' })
  await refused({ command: 'touch' })
  await refused({ token: TOKEN, command: 'rm' })
  await refused({ token: TOKEN, command: 'toString' })
  await refused({ token: TOKEN, command: 'greet', args: ['ann; touch x'] })
  await refused({ token: TOKEN, command: 'greet', args: ['ann\n'] })
  await refused({ token: TOKEN, command: 'touch', args: ['more'] })
  await refused('no request')
  assert.ok(!existsSync(join(folder, 'touched')))
  assert.deepEqual(new Set(audit().map(({ event }) => event)), new Set(['refused']))
  assert.ok(!readFileSync(auditLog, 'utf8').includes(TOKEN))
})

test('remote control takes a verified client certificate instead of a token', async (context) => {
  const { ask, audit, cert, key } = await start(context)
  const answers = await ask({ command: 'greet', args: ['ann'] }, { cert, key })
  assert.equal(textOf(answers, 'stdout'), 'hello ann\n')
  assert.equal(typeof audit()[0]?.['who'], 'string')
})

test('remote control ends programs at the time limit and the output limit, and says when one cannot be started', async (context) => {
  const { ask } = await start(context)
  const waited = await ask({ token: TOKEN, command: 'wait' })
  assert.match(waited.at(-1)?.error ?? '', /time limit/)
  assert.ok(!isAlive(Number(textOf(waited, 'stdout'))))
  const flooded = await ask({ token: TOKEN, command: 'flood' })
  assert.match(flooded.at(-1)?.error ?? '', /output limit/)
  assert.ok(textOf(flooded, 'stdout').length <= 100_000)
  const missing = await ask({ token: TOKEN, command: 'missing' })
  assert.match(missing.at(-1)?.error ?? '', /could not be started/)
})

test('remote control keeps no client past the time limit for a program that left its group and holds the pipes', async (context) => {
  const { ask, audit } = await start(context)
  const answers = await ask({ token: TOKEN, command: 'linger' })
  const pid = Number(textOf(answers, 'stdout'))
  assert.ok(isAlive(pid))
  process.kill(pid, 'SIGKILL')
  assert.match(answers.at(-1)?.error ?? '', /time limit .*holds its output/)
  assert.match(String(audit().at(-1)?.['why']), /time limit/)
})

test('remote control ends the program of a client that leaves', async (context) => {
  const { open, audit } = await start(context)
  const connection = await open({ token: TOKEN, command: 'wait' })
  const { data = '' } = JSON.parse((await connection.readLine()) ?? '{}') as Answer
  const pid = Number(Buffer.from(data, 'base64').toString())
  assert.ok(isAlive(pid))
  connection.destroy()
  await until('the end of the program', () => !isAlive(pid))
  await until('the entry', () => audit().some(({ event, why }) => event === 'ended' && why === 'the client left'))
})

test('the client of remote control prints what the command prints and exits with its code', async (context) => {
  const { endpoint, ca } = await start(context)
  const args = [endpoint, TOKEN, 'mixed']
  const client = example(context, 'remote-control/client', args, { env: { REMOTE_CA: ca } })
  assert.deepEqual(await within('its end', client.exited), { code: 7, signal: null })
  assert.deepEqual([client.stdout, client.stderr], ['out\n', 'err\n'])
})

test('the client of remote control shows a certificate instead of a token, and one that is unknown is refused', async (context) => {
  const { endpoint, ca, cert, key, folder } = await start(context)
  const stranger = await localhostCertificate()
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const run = async (pems: { readonly cert: string; readonly key: string }) => {
    const REMOTE_CERT = write('client.pem', pems.cert)
    const env = { REMOTE_CA: ca, REMOTE_CERT, REMOTE_KEY: write('client-key.pem', pems.key) }
    const client = example(context, 'remote-control/client', [endpoint, '-', 'greet', 'ann'], { env })
    const exit = await within('its end', client.exited)
    return { code: exit.code, stdout: client.stdout, stderr: client.stderr }
  }
  assert.deepEqual(await run({ cert, key }), { code: 0, stdout: 'hello ann\n', stderr: '' })
  const refused = await run(stranger)
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.match(refused.stderr, /^[^\n]+\n$/)
})

const GOOD = { token: TOKEN, auditLog: 'audit.jsonl', commands: { uptime: { run: ['/usr/bin/uptime'] } } }

for (const [name, config, more, says] of [
  ['a token too short', { ...GOOD, token: 'fifteen letters' }, [], /"token" must have 16/],
  ['neither token nor authority', { ...GOOD, token: undefined }, [], /Cannot know a client/],
  ['an audit log that cannot be opened', { ...GOOD, auditLog: 'missing/audit.jsonl' }, [], /audit log: .*missing/],
  ['an authority that cannot be read', GOOD, ['tls://localhost:0', 'missing.pem'], /authority: .*missing\.pem/],
  ['a program without its path', { ...GOOD, commands: { x: { run: ['uptime'] } } }, [], /"x" needs the full path/],
  ['a pattern that is none', { ...GOOD, commands: { x: { run: ['/x'], parameters: ['('] } } }, [], /"x" .*pattern/],
  ['a limit that is none', { ...GOOD, timeLimitMs: 'long' }, [], /"timeLimitMs"/],
  ['an endpoint that is none', GOOD, ['tsl://localhost:0'], /scheme/],
  ['a page without TLS', GOOD, ['tls://localhost:0', '--page', 'http://localhost:0'], /https/],
  ['an option that is none', GOOD, ['--pages'], /--pages/],
  ['no JSON', 'no JSON', [], /config\.json/],
] as const) {
  test(`remote control refuses at start ${name}, with one line and 2`, async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'moorage-remote-'))
    context.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'config.json')
    writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config))
    const options = { cwd: folder, env: { XDG_STATE_HOME: folder } }
    const program = example(context, 'remote-control/start', [file, ...more], options)
    assert.deepEqual(await within('its end', program.exited), { code: 2, signal: null }, program.stdout)
    assert.match(program.stderr, /^remote-control: [^\n]+\n$/)
    assert.match(program.stderr, says)
  })
}

test('remote control without a configuration is off, and exits with 2', async (context) => {
  const program = example(context, 'remote-control/start')
  assert.deepEqual(await within('its end', program.exited), { code: 2, signal: null })
  assert.match(program.stderr, /off/)
})
