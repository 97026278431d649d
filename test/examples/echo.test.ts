import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { within } from '#src/testing/contract-row.js'
import { example } from '../fixtures/example.js'
import { Program } from '../fixtures/program.js'

const PYTHON = '/usr/bin/python3'
const folder = mkdtempSync(join(tmpdir(), 'moorage-echo-'))
after(() => rmSync(folder, { recursive: true }))

const isInstalled = (command: string): boolean =>
  command.startsWith('/') ? existsSync(command) : spawnSync('which', [command]).status === 0

/** Prints what comes back for a line sent over a socket of a family and type to an address. */
const talk = (family: string, kind: string, address: string, before = ''): string =>
  [
    'import socket',
    `s = socket.socket(socket.${family}, socket.${kind})`,
    's.settimeout(10)',
    before,
    `s.connect(${address})`,
    's.sendall(b"hello\\n")',
    'print(s.recv(100).decode(), end="")',
  ].join('\n')

const PYTHON_TLS = (port: string): string =>
  [
    'import socket, ssl',
    'c = ssl.create_default_context()',
    'c.check_hostname = False',
    'c.verify_mode = ssl.CERT_NONE',
    `s = c.wrap_socket(socket.create_connection(("127.0.0.1", ${port}), 10))`,
    's.sendall(b"hello\\n")',
    'print(s.recv(100).decode(), end="")',
  ].join('\n')

interface Places {
  readonly tcp: string
  readonly tls: string
  readonly udp: string
  readonly unix: string
  readonly unixgram: string
}

const CLIENTS: readonly {
  readonly name: string
  readonly command: string
  readonly args: (at: Places) => readonly string[]
}[] = [
  { name: 'nc over TCP', command: 'nc', args: ({ tcp }) => ['127.0.0.1', tcp] },
  { name: 'nc over UDP', command: 'nc', args: ({ udp }) => ['-u', '127.0.0.1', udp] },
  { name: 'socat over TCP', command: 'socat', args: ({ tcp }) => ['-', `TCP:127.0.0.1:${tcp}`] },
  {
    name: 'socat over TLS',
    command: 'socat',
    args: ({ tls }) => ['-', `OPENSSL:127.0.0.1:${tls},verify=0`],
  },
  { name: 'socat over UDP', command: 'socat', args: ({ udp }) => ['-', `UDP:127.0.0.1:${udp}`] },
  { name: 'socat over a Unix socket', command: 'socat', args: ({ unix }) => ['-', `UNIX-CONNECT:${unix}`] },
  {
    name: 'socat over Unix datagrams',
    command: 'socat',
    args: ({ unixgram }) => ['-', `UNIX-SENDTO:${unixgram},bind=${join(folder, 'socat.dgram')}`],
  },
  {
    name: 'openssl s_client',
    command: 'openssl',
    args: ({ tls }) => ['s_client', '-quiet', '-connect', `127.0.0.1:${tls}`],
  },
  {
    name: 'Python over TCP',
    command: PYTHON,
    args: ({ tcp }) => ['-c', talk('AF_INET', 'SOCK_STREAM', `("127.0.0.1", ${tcp})`)],
  },
  { name: 'Python over TLS', command: PYTHON, args: ({ tls }) => ['-c', PYTHON_TLS(tls)] },
  {
    name: 'Python over UDP',
    command: PYTHON,
    args: ({ udp }) => ['-c', talk('AF_INET', 'SOCK_DGRAM', `("127.0.0.1", ${udp})`)],
  },
  {
    name: 'Python over a Unix socket',
    command: PYTHON,
    args: ({ unix }) => ['-c', talk('AF_UNIX', 'SOCK_STREAM', JSON.stringify(unix))],
  },
  {
    name: 'Python over Unix datagrams',
    command: PYTHON,
    args: ({ unixgram }) => [
      '-c',
      talk('AF_UNIX', 'SOCK_DGRAM', JSON.stringify(unixgram), `s.bind(${JSON.stringify(join(folder, 'py.dgram'))})`),
    ],
  },
]

test('the echo example answers clients that nobody here wrote, on five transports', { timeout: 60_000 }, async (t) => {
  const env = { ECHO_PORT: '0', ECHO_TLS_PORT: '0', ECHO_DIR: folder, XDG_STATE_HOME: folder }
  const program = example(t, 'echo/start', [], { env })
  const port = (scheme: string): Promise<string> =>
    program.printed(new RegExp(`^listening on ${scheme}://127\\.0\\.0\\.1:(\\d+)`, 'm'))
  const places: Places = {
    tcp: await port('tcp'),
    tls: await port('tls'),
    udp: await port('udp'),
    unix: await program.printed(/^listening on unix:(\S+)/m),
    unixgram: await program.printed(/^listening on unixgram:(\S+)/m),
  }
  for (const { name, command, args } of CLIENTS) {
    const skip = isInstalled(command) ? false : `${command} is not installed`
    await t.test(`${name} gets its line back`, { skip }, async (context) => {
      const client = new Program(context, command, args(places))
      client.write('hello\n')
      assert.equal(await client.printed(/hello\n/), 'hello\n')
      await client.stop('SIGKILL')
    })
  }
  assert.deepEqual(await within('its end', program.stop()), { code: 0, signal: null })
})
