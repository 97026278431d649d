import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect as connectTo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type BrokerKind = 'redis' | 'nats'

const NODE = fileURLToPath(new URL('room-node.js', import.meta.url))
const COMMANDS = { redis: '/usr/bin/redis-server', nats: '/usr/sbin/nats-server' } as const

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTo(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** A program that is started again and again on the same ports. */
class Member {
  readonly #command: string
  readonly #args: readonly string[]
  readonly #port: number
  readonly #folder: string
  #child: ChildProcess | undefined

  /** What it says goes into a file of the folder. */
  constructor(command: string, args: readonly string[], port: number, folder: string) {
    this.#command = command
    this.#args = args
    this.#port = port
    this.#folder = folder
  }

  async start(): Promise<void> {
    const child = spawn(this.#command, [...this.#args], {
      stdio: ['ignore', 'ignore', openSync(join(this.#folder, 'log'), 'a')],
    })
    this.#child = child
    const deadline = Date.now() + 20_000
    while (!(await listens(this.#port))) {
      if (Date.now() > deadline) throw new Error(`${this.#command} does not listen on ${this.#port}`)
      await sleep(10)
    }
  }

  stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
    return new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.kill(signal)
    })
  }
}

/** A broker, servers, and haproxy before them; all of it in processes of their own, on free ports of this machine. */
export class Cluster implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'moorage-torture-'))
  readonly #broker: Member
  readonly #nodes: readonly Member[]
  readonly #haproxy: Member
  readonly nodeUrls: readonly string[]
  readonly brokerUrl: string
  /** Through haproxy. */
  readonly http: string
  readonly tcp: string

  private constructor(kind: BrokerKind, [brokerPort = 0, httpPort = 0, tcpPort = 0, ...ports]: readonly number[]) {
    this.brokerUrl = `${kind}://127.0.0.1:${brokerPort}`
    this.http = `http://127.0.0.1:${httpPort}`
    this.tcp = `tcp://127.0.0.1:${tcpPort}`
    this.#broker = new Member(COMMANDS[kind], this.#brokerArgs(kind, brokerPort), brokerPort, this.#folder)
    const half = ports.length / 2
    const [webPorts, linePorts] = [ports.slice(0, half), ports.slice(half)]
    this.nodeUrls = webPorts.map((port) => `http://127.0.0.1:${port}`)
    this.#nodes = webPorts.map(
      (port, i) =>
        new Member(
          process.execPath,
          [NODE, String(port), String(linePorts[i]), this.brokerUrl],
          linePorts[i] ?? 0,
          this.#folder,
        ),
    )
    const config = join(this.#folder, 'haproxy.cfg')
    writeFileSync(config, haproxyConfig([httpPort, webPorts], [tcpPort, linePorts]))
    this.#haproxy = new Member('/usr/sbin/haproxy', ['-f', config, '-db'], httpPort, this.#folder)
  }

  static async start(kind: BrokerKind, nodes: number): Promise<Cluster> {
    const cluster = new Cluster(kind, await Promise.all(Array.from({ length: 3 + 2 * nodes }, freePort)))
    await cluster.#broker.start()
    await Promise.all(cluster.#nodes.map((node) => node.start()))
    await cluster.#haproxy.start()
    return cluster
  }

  async killNode(number: number): Promise<void> {
    await this.#nodes[number]?.stop('SIGKILL')
  }

  async startNode(number: number): Promise<void> {
    await this.#nodes[number]?.start()
  }

  async stopBroker(signal: NodeJS.Signals): Promise<void> {
    await this.#broker.stop(signal)
  }

  async startBroker(): Promise<void> {
    await this.#broker.start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#nodes, this.#haproxy].map((member) => member.stop('SIGKILL')))
    await this.#broker.stop('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #brokerArgs(kind: BrokerKind, port: number): string[] {
    if (kind === 'nats') return ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', this.#folder]
    const args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', this.#folder, '--save', '']
    return [...args, '--appendonly', 'yes', '--loglevel', 'warning', '--logfile', join(this.#folder, 'redis.log')]
  }
}

type Front = readonly [port: number, servers: readonly number[]]

function haproxyConfig([httpPort, webPorts]: Front, [tcpPort, linePorts]: Front): string {
  const servers = (ports: readonly number[]): string[] =>
    ports.map(
      (port, i) => `  server n${i} 127.0.0.1:${port} check inter 300 fall 2 rise 1 on-marked-down shutdown-sessions`,
    )
  return [
    'global',
    '  maxconn 4000',
    'defaults',
    '  timeout connect 1s',
    '  timeout check 2s',
    '  timeout client 1h',
    '  timeout server 1h',
    '  option redispatch',
    '  retries 3',
    '  balance leastconn',
    'frontend web',
    '  mode http',
    `  bind 127.0.0.1:${httpPort}`,
    '  default_backend webs',
    'backend webs',
    '  mode http',
    '  option httpchk GET /',
    ...servers(webPorts),
    'frontend lines',
    '  mode tcp',
    `  bind 127.0.0.1:${tcpPort}`,
    '  default_backend lines',
    'backend lines',
    '  mode tcp',
    ...servers(linePorts),
    '',
  ].join('\n')
}
