import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import type { TestContext } from 'node:test'
import { until } from '#src/testing/contract-row.js'
import type { HostAddress } from '#src/transport/node/resolve-all.js'
import { freePort } from '../fixtures/free-port.js'
import { SECRET, type Fault } from './_faults.js'
import { nobody } from './_faulty-servers.js'

const failing = (code: string) => (): Promise<readonly HostAddress[]> =>
  Promise.reject(Object.assign(new Error(`getaddrinfo ${code}`), { code }))

const INJECTED = 'the resolver is injected'

/** A listener that takes nothing, with a queue that is full: the next connection gets no answer. */
async function fullListener(t: TestContext): Promise<string> {
  const program = spawn('python3', ['-c', LISTENER], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => program.kill('SIGKILL'))
  const [first]: unknown[] = await once(program.stdout, 'data')
  const port = Number(String(first))
  const waiting: Socket[] = []
  t.after(() => waiting.forEach((socket) => socket.destroy()))
  for (let isFull = false; !isFull && waiting.length < 64;) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    waiting.push(socket)
    isFull = await Promise.race([
      once(socket, 'connect').then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 300, true)),
    ])
  }
  await until('a queue that is full', () => waiting.length > 1)
  return `http://127.0.0.1:${port}`
}

const LISTENER = `
import socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(0)
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
`

export const CONNECT_FAULTS: readonly Fault[] = [
  {
    title: 'a URL that is none',
    make: () => ({ url: `http://me:${SECRET}@[::1/`, isAsIs: true }),
    name: 'UsageError',
    code: 'ERR_URL',
    step: 'url',
    says: /correct/,
    finds: /no URL/,
    exit: 2,
  },
  {
    title: 'a URL of another protocol',
    make: () => ({ url: 'ftp://127.0.0.1/' }),
    name: 'UsageError',
    code: 'ERR_URL',
    step: 'url',
    says: /correct/,
    finds: /scheme ftp:/,
    exit: 2,
  },
  {
    title: 'no such host',
    make: () => ({ url: 'http://no-such-host.invalid/' }),
    name: 'ResolveError',
    code: 'ERR_RESOLVE',
    phase: 'resolve',
    step: 'resolve',
    // A machine without a name server cannot know.
    says: /spelling of the host|name server/,
    finds: /no-such-host\.invalid/,
    exit: 10,
    isTried: false,
  },
  {
    title: 'a name server that cannot be reached',
    make: () => ({ url: 'http://a.example/', options: { lookup: failing('EAI_AGAIN') } }),
    name: 'ResolveError',
    code: 'ERR_RESOLVE',
    phase: 'resolve',
    step: 'resolve',
    says: /name server/,
    exit: 10,
    isTried: false,
    notByCommand: INJECTED,
  },
  {
    title: 'a name without an address',
    make: () => ({ url: 'http://a.example/', options: { lookup: () => Promise.resolve([]) } }),
    name: 'ResolveError',
    code: 'ERR_RESOLVE',
    phase: 'resolve',
    step: 'resolve',
    says: /spelling/,
    exit: 10,
    isTried: false,
    notByCommand: INJECTED,
  },
  {
    title: 'a name server that does not answer in time',
    make: () => ({
      url: 'http://a.example/',
      options: { lookup: () => new Promise(() => undefined), connectTimeoutMs: 100 },
    }),
    name: 'TimeoutError',
    code: 'ERR_CONNECT_TIMEOUT',
    phase: 'resolve',
    step: 'resolve',
    says: /name server/,
    exit: 14,
    isTried: false,
    notByCommand: INJECTED,
  },
  {
    title: 'a port that nobody listens on',
    make: async () => ({ url: await nobody() }),
    name: 'ConnectError',
    code: 'ERR_CONNECT',
    phase: 'connect',
    step: 'connect',
    says: /server runs and listens on that port/,
    finds: /ECONNREFUSED/,
    exit: 11,
  },
  {
    title: 'several addresses, and nobody listens on any of them',
    make: async () => ({
      url: `http://a.example:${await freePort()}/`,
      options: {
        lookup: () =>
          Promise.resolve([
            { address: '127.0.0.2', family: 4 },
            { address: '127.0.0.3', family: 4 },
          ]),
      },
    }),
    name: 'ConnectError',
    code: 'ERR_CONNECT',
    phase: 'connect',
    step: 'connect',
    says: /server runs/,
    finds: /127\.0\.0\.2:\d+ \(ECONNREFUSED\), 127\.0\.0\.3:\d+ \(ECONNREFUSED\)/,
    exit: 11,
    notByCommand: INJECTED,
  },
  {
    title: 'a Unix socket that is not there',
    make: () => ({ url: `http+unix:${join(tmpdir(), 'there-is-no-such.sock')}:/`, isAsIs: true }),
    name: 'ConnectError',
    code: 'ERR_CONNECT',
    phase: 'connect',
    step: 'connect',
    says: /path of the socket/,
    exit: 11,
  },
  {
    title: 'a machine that answers nothing to a connection',
    make: async (t) => ({ url: await fullListener(t), options: { connectTimeoutMs: 400 } }),
    name: 'TimeoutError',
    code: 'ERR_CONNECT_TIMEOUT',
    phase: 'connect',
    step: 'connect',
    says: /firewalls/,
    finds: /no answer/,
    exit: 14,
    needs: ['python3'],
  },
]
