// CPU per UDP echo: our sink over the addon, an async loop over the addon, our sink over node:dgram, a plain node:dgram program. Interleaved rounds,
// the median of the ratios. Usage: udp-echo.js [rounds] [seconds] [sockets] [window] [bytes]
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const [rounds = 7, seconds = 1, sockets = 16, window = 16, bytes = 64] = process.argv.slice(2).map(Number)
const root = fileURLToPath(new URL('../..', import.meta.url))
const load = `${root}.build/udp-load`

interface Usage {
  readonly user: number
  readonly system: number
  readonly answered: number
}

interface Sample {
  readonly total: number
  readonly user: number
  readonly perSecond: number
}

class Server {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  constructor(kind: string) {
    const script = fileURLToPath(new URL('udp-echo-server.js', import.meta.url))
    this.#child = spawn(process.execPath, [script, kind], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    const { value } = await this.#lines.next()
    return String(value)
  }

  async usage(): Promise<Usage> {
    this.#child.stdin.write('\n')
    return JSON.parse(await this.line()) as Usage
  }

  stop(): void {
    this.#child.stdin.end()
  }
}

function runLoad(port: string, forSeconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = ['127.0.0.1', port, forSeconds, sockets, window, bytes].map(String)
    const child = spawn(load, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    child.on('error', reject)
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`udp-load ended with ${code}`))))
  })
}

async function measure(server: Server, port: string): Promise<Sample> {
  const before = await server.usage()
  await runLoad(port, seconds)
  const after = await server.usage()
  const answered = after.answered - before.answered
  const user = (after.user - before.user) / answered
  return { user, total: user + (after.system - before.system) / answered, perSecond: answered / seconds }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

mkdirSync(`${root}.build`, { recursive: true })
const built = spawnSync('cc', ['-O2', '-D_GNU_SOURCE', '-o', load, `${root}bench/load/udp-load.c`], {
  stdio: 'inherit',
})
if (built.status !== 0) throw new Error('the load program cannot be compiled')

const kinds = ['addon', 'addon-async', 'fallback', 'dgram'] as const
const servers = new Map<string, { server: Server; port: string; samples: Sample[] }>()
for (const kind of kinds) {
  const server = new Server(kind)
  const port = await server.line()
  servers.set(kind, { server, port, samples: [] })
  await runLoad(port, 0.5)
}
for (let round = 0; round < rounds; round += 1) {
  for (const { server, port, samples } of servers.values()) samples.push(await measure(server, port))
}
const plain = servers.get('dgram')?.samples ?? []
for (const [kind, { server, samples }] of servers) {
  server.stop()
  const ratio = median(samples.map((sample, i) => (plain[i]?.total ?? NaN) / sample.total))
  const [total, user, rate] = (['total', 'user', 'perSecond'] as const).map((key) => median(samples.map((s) => s[key])))
  console.log(
    `${kind.padEnd(12)} ${total?.toFixed(2)} µs/packet (user ${user?.toFixed(2)})  ${Math.round(rate ?? 0)}/s  ratio ${ratio.toFixed(2)}`,
  )
}
