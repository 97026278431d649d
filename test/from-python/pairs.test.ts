import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readAll } from '#src/testing/connection-pair.js'
import { until, within } from '#src/testing/contract-row.js'
import { connect, connectDatagram, serve, type Connection } from 'moorage'
import { localhostCertificate } from '../fixtures/certificates.js'
import { Program } from '../fixtures/program.js'
import { websocket } from '#src/websocket/server.js'
import { serveHttp } from '#src/http/server.js'
import { httpPairs, makeSite } from './_http-pairs.js'
import { noWebSockets, TALK, webSocketPairs } from './_websocket-pairs.js'
import { HTTP_CLIENTS } from './_http-clients.js'
import type { Conversation, Pair } from './_pair.js'

const PYTHON = '/usr/bin/python3'
const hasPython = existsSync(PYTHON)
const sources = fileURLToPath(new URL('../../../docs/from-python/', import.meta.url))
const compiled = fileURLToPath(new URL('../../docs/from-python/', import.meta.url))

const { cert, key } = await localhostCertificate()
const folder = mkdtempSync(join(tmpdir(), 'moorage-pairs-'))
const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
writeFileSync(certFile, cert)
writeFileSync(keyFile, key)
after(() => rmSync(folder, { recursive: true }))

/** Says each thing and waits for the answer to it before the next; then half-closes and reads to the end. */
const exchange =
  (...rows: readonly (readonly [say: string, hear: string])[]): ((endpoint: string) => Promise<string>) =>
  async (endpoint) => {
    const connection = await connect(endpoint)
    const heard = await converse(connection, rows)
    await connection.closeWrite()
    return heard + (await rest(connection))
  }

async function converse(connection: Connection, rows: readonly (readonly [string, string])[]): Promise<string> {
  let heard = ''
  for (const [say, hear] of rows) {
    await connection.write(say)
    const bytes = await within(`the answer to ${say}`, connection.readExactly(Buffer.byteLength(hear)))
    heard += Buffer.from(bytes).toString()
  }
  return heard
}

async function rest(connection: Connection): Promise<string> {
  const bytes = await within('the end', readAll(connection))
  await connection.close()
  return Buffer.from(bytes).toString()
}

/** Each datagram is sent when the one before was answered. */
const datagrams =
  (...sent: readonly string[]): Conversation =>
  async (endpoint) => {
    const socket = await connectDatagram(endpoint)
    const heard: string[] = []
    for (const data of sent) {
      await socket.send(data)
      const answer = await socket.receive({ timeoutMs: 10_000 })
      heard.push(String(answer?.data))
    }
    await socket.close()
    return heard.join('|')
  }

/** One client idles while another is served. */
const sideBySide: Conversation = async (endpoint) => {
  const idle = await connect(endpoint)
  const busy = await connect(endpoint)
  let heard = await converse(busy, [['first\n', 'FIRST\n']])
  heard += await converse(idle, [['second\n', 'SECOND\n']])
  await busy.closeWrite()
  heard += await rest(busy)
  await idle.closeWrite()
  return heard + (await rest(idle))
}

const path = (ending: string) => (language: string) => [join(folder, `${language}.${ending}`)]
const long = 'x'.repeat(20_000)
const FLOOD = '0123456789abcdef'.repeat(1024 * 256)

const PAIRS: readonly Pair[] = [
  {
    name: 'base-request-handler',
    talk: exchange(['hello', 'HELLO'], ['a\0b', 'A\0B']),
    seen: 'HELLOA\0B',
  },
  {
    name: 'stream-request-handler',
    talk: exchange(['one\n', 'ONE\n'], ['two\nthree\n', 'TWO\nTHREE\n'], ['no end', '']),
    seen: 'ONE\nTWO\nTHREE\nNO END4 lines\n',
  },
  { name: 'datagram-request-handler', talk: datagrams('one', long, ''), seen: `ONE|${long.toUpperCase()}|` },
  { name: 'threading-server', talk: sideBySide, seen: 'FIRST\nSECOND\n' },
  { name: 'forking-server', talk: sideBySide, seen: 'FIRST\nSECOND\n' },
  { name: 'unix-stream-server', args: path('sock'), talk: exchange(['one\n', 'ONE\n']), seen: 'ONE\n' },
  { name: 'unix-datagram-server', args: path('dgram'), talk: datagrams('one', 'two'), seen: 'ONE|TWO' },
  {
    name: 'handle-request',
    talk: async (endpoint) => {
      const first = await rest(await connect(endpoint))
      return first + (await rest(await connect(endpoint)))
    },
    seen: 'request 1\nrequest 2\n',
    printed: 'nobody came\n',
    ends: true,
  },
  {
    name: 'hooks',
    talk: async (endpoint) => {
      const failed = await exchange(['fail\n', ''])(endpoint)
      const refused = await rest(await connect(endpoint))
      return `${failed}|${refused}|${await exchange(['hello\n', 'you said hello\n'])(endpoint)}`
    },
    seen: '||you said hello\n',
    printed: 'error: asked to fail\n',
  },
  {
    name: 'service-actions',
    talk: async (endpoint, program) => {
      await program.printed(/three turns/)
      return rest(await connect(endpoint))
    },
    seen: 'served\n',
    printed: 'three turns\n',
  },
  {
    name: 'shutdown',
    talk: exchange(['hello\n', 'hello\n'], ['stop\n', 'stopping\n']),
    seen: 'hello\nstopping\n',
    printed: 'stopped\n',
    ends: true,
  },
  { name: 'tcp-socket', talk: exchange(['ping', 'ping'], [long, long]), seen: `ping${long}bye\n` },
  { name: 'udp-socket', talk: datagrams('abc', 'x'), seen: 'cba|x' },
  {
    name: 'asyncio-streams',
    talk: exchange(['ann\n\0\0\0\u0005hellomore\0', 'ann: 5 bytes, then 5\n'], [long, long]),
    seen: `ann: 5 bytes, then 5\n${long}`,
  },
  {
    name: 'asyncio-protocol',
    talk: exchange(['', 'hello\n'], ['!', FLOOD]),
    seen: `hello\n${FLOOD}bye\n`,
    printed: 'lost: None\n',
  },
  { name: 'asyncio-datagram', talk: datagrams('abc', long), seen: `ABC|${long.toUpperCase()}` },
  {
    name: 'start-tls',
    args: () => ['0', certFile, keyFile],
    talk: async (endpoint) => {
      const plain = await exchange(['hello\n', 'encrypted only\n'])(endpoint)
      const connection = await connect(endpoint)
      const agreed = await converse(connection, [['STARTTLS\n', 'go\n']])
      await connection.startTls({ role: 'client', serverName: 'localhost', ca: cert })
      const secret = await converse(connection, [['secret\n', 'SECRET\n']])
      connection.destroy()
      return plain + agreed + secret
    },
    seen: 'encrypted only\ngo\nSECRET\n',
  },
  ...httpPairs(makeSite(folder), certFile, keyFile),
  ...webSocketPairs([
    [PYTHON, join(sources, 'websocket-client.py')],
    [process.execPath, join(compiled, 'websocket-client.js')],
  ]),
]

/** Modules with the handlers that are run in threads and processes. */
const HANDLERS = ['greeter.ts', 'shout.ts']

/** Pairs of clients: what a server hears, and what the program prints. */
const CLIENTS = [
  { name: 'tcp-client', heard: 'hello\n', printed: 'you said hello\n' },
  { name: 'udp-client', heard: 'ping', printed: 'pong\n' },
  { name: 'websocket-client', heard: 'helloGrüßebye', printed: TALK },
  { name: 'asyncio-client', heard: 'one\ntwo\n', printed: 'you said one\nyou said two\n' },
] as const

const LANGUAGES = [
  { language: 'Python', command: PYTHON, script: (name: string) => join(sources, `${name}.py`), runs: hasPython },
  {
    language: 'TypeScript',
    command: process.execPath,
    script: (name: string) => join(compiled, `${name}.js`),
    runs: true,
  },
] as const

const transcripts = new Map<string, string[]>()

function note(name: string, transcript: string): void {
  transcripts.set(name, [...(transcripts.get(name) ?? []), transcript])
}

let skipped = 0
for (const { language, command, script, runs } of LANGUAGES) {
  for (const pair of PAIRS) {
    const skip = runs ? (pair.skip ?? false) : `${PYTHON} is not installed`
    if (skip !== false) skipped += 1
    test(`${pair.name} in ${language} serves its client as written`, { skip, timeout: 60_000 }, async (context) => {
      const program = start(context, command, [script(pair.name), ...(pair.args?.(language) ?? ['0'])])
      const seen = await pair.talk(await program.endpoint(), program)
      if (pair.printed !== undefined) await until('it is printed', () => program.stdout.endsWith(pair.printed ?? ''))
      if (pair.ends === true) assert.deepEqual(await within('its end', program.exited), { code: 0, signal: null })
      else await program.stop()
      assert.equal(seen, pair.seen)
      const printed = program.stdout.slice(program.stdout.indexOf('\n') + 1)
      assert.equal(printed, pair.printed ?? '')
      note(pair.name, JSON.stringify({ seen, printed }))
    })
  }
  for (const { name, heard, printed } of CLIENTS) {
    const needs = name === 'websocket-client' ? noWebSockets : false
    const skip = runs ? needs : `${PYTHON} is not installed`
    if (skip !== false) skipped += 1
    test(`${name} in ${language} talks to a server as written`, { skip, timeout: 60_000 }, async (context) => {
      const sayings: string[] = []
      await using server = await (name === 'websocket-client'
        ? serveHttp(
            'http://127.0.0.1:0',
            websocket(async (peer) => {
              await peer.send('Welcome')
              for await (const message of peer) {
                sayings.push(String(message))
                await peer.send(`You said: ${String(message)}`)
                if (message === 'bye') return
              }
            }),
          )
        : name === 'udp-client'
          ? serve('udp://127.0.0.1:0', async (datagram) => {
              sayings.push(String(datagram.data))
              await datagram.reply('pong')
            })
          : serve('tcp://127.0.0.1:0', async (connection) => {
              for await (const line of connection.lines()) {
                sayings.push(line)
                await connection.write(`you said ${line}`)
              }
            }))
      const program = start(context, command, [script(name), server.endpoint.replace('http:', 'ws:')])
      assert.deepEqual(await within('its end', program.exited), { code: 0, signal: null }, program.stderr)
      assert.equal(sayings.join(''), heard)
      assert.equal(program.stdout, printed)
      note(name, JSON.stringify({ heard: sayings.join(''), printed: program.stdout }))
    })
  }
}

test('the two programs of each pair show a client the same, byte for byte', { skip: !hasPython }, () => {
  const withoutSockets = [...PAIRS, ...CLIENTS].filter(
    ({ name }) => noWebSockets === false || !name.startsWith('websocket'),
  )
  for (const { name } of withoutSockets) {
    const [python, typescript] = transcripts.get(name) ?? []
    assert.ok(python !== undefined && typescript !== undefined, `${name}: both programs were run`)
    assert.equal(typescript, python, name)
  }
})

test('every program that the documents show is run here, and each has its other half', () => {
  const named = [...PAIRS, ...CLIENTS, ...HTTP_CLIENTS].map(({ name }) => name)
  const shown = readdirSync(sources).filter((file) => !HANDLERS.includes(file))
  assert.deepEqual(shown.sort(), named.flatMap((name) => [`${name}.py`, `${name}.ts`]).sort())
  const document = readFileSync(join(sources, '../from-python.md'), 'utf8')
  for (const name of named) assert.ok(document.includes(`<!-- pair: ${name} -->`), `${name} is shown`)
})

test('programs that could not be run are counted', (context) => {
  context.diagnostic(`${skipped} programs were not run${skipped > 0 ? `: ${PYTHON} is not installed` : ''}`)
})

function start(context: TestContext, command: string, args: readonly string[]): Program {
  return new Program(context, command, args, { env: { PYTHONUNBUFFERED: '1' } })
}
