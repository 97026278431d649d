// npm run bench -- flood [clients]: all connect at once and stay; memory for each; then new clients, one by one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compile, residentKib, ROOT, startTarget, type Target } from './harness.js'

const clients = Number(process.argv[2] ?? 10_000)
const PATIENCE_MS = 30_000
const NEW_CLIENTS = 500

const load = compile('load/flood-load.c')
if (load === undefined) throw new Error('the load program needs a C compiler')

interface Flood {
  readonly name: string
  readonly mass: {
    readonly clients: number
    readonly connected: number
    readonly served: number
    readonly refused: number
    readonly seconds: number
  }
  readonly fresh: { readonly fresh: number; readonly answered: number; readonly p50us: number; readonly p99us: number }
  readonly kibEach: number
}

async function flood(target: Target, command: string): Promise<Flood> {
  const before = residentKib(target.pid)
  const child = spawn(
    'taskset',
    ['-c', '1', command, '127.0.0.1', String(target.port), String(clients), String(PATIENCE_MS), String(NEW_CLIENTS)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => String((await lines.next()).value)
  const mass = JSON.parse(await next())
  const kibEach = (residentKib(target.pid) - before) / clients
  const fresh = JSON.parse(await next())
  const ended = once(child, 'exit')
  child.stdin.end()
  await ended
  return { name: target.name, mass, fresh, kibEach }
}

const servers = join(ROOT, '.build/bench/servers.js')
const makers: (() => Promise<Target>)[] = [
  () => startTarget('node:net', process.execPath, [join(ROOT, 'bench/peers/node-net.mjs')]),
  () => startTarget('moorage, async handler', process.execPath, [servers, 'async']),
  () => startTarget('moorage, sink', process.execPath, [servers, 'sink']),
  () => startTarget('Python asyncio', '/usr/bin/python3', [join(ROOT, 'bench/peers/asyncio_tcp.py')]),
]
const go = compile('peers/tcp-echo.go')
if (go !== undefined) makers.push(() => startTarget('Go net', go, []))

console.log(`### ${clients.toLocaleString('en')} clients at once, idle after one echo each\n`)
console.log('| server | connected | served | refused | all served in s | KiB each | new client p50 µs | p99 µs |')
console.log('|---|---|---|---|---|---|---|---|')
for (const make of makers) {
  const target = await make()
  const { name, mass, fresh, kibEach } = await flood(target, load)
  const cells = [
    name,
    mass.connected,
    mass.served,
    mass.refused,
    mass.seconds.toFixed(2),
    kibEach.toFixed(1),
    fresh.p50us,
    fresh.p99us,
  ]
  console.log(`| ${cells.join(' | ')} |`)
  await target.stop()
}
