// npm run bench -- idle [clients]: resident memory and CPU of idle connections.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compile, cpuOf, residentKib, ROOT, startTarget, type Target } from './harness.js'

const clients = Number(process.argv[2] ?? 5000)
const IDLE_MS = 3000
const load = compile('load/flood-load.c')
if (load === undefined) throw new Error('the load program needs a C compiler')
const servers = join(ROOT, '.build/bench/servers.js')
const makers: (() => Promise<Target>)[] = [
  () => startTarget('node:net', process.execPath, [join(ROOT, 'bench/peers/node-net.mjs')]),
  () => startTarget('moorage, async handler', process.execPath, [servers, 'async']),
  () => startTarget('moorage, sink', process.execPath, [servers, 'sink']),
  () => startTarget('moorage, async, portable path', process.execPath, [servers, 'async-fallback']),
  () => startTarget('Python asyncio', '/usr/bin/python3', [join(ROOT, 'bench/peers/asyncio_tcp.py')]),
]
console.log(
  `### ${clients.toLocaleString('en')} idle connections\n\n| server | KiB each | CPU ms in ${IDLE_MS} ms |\n|---|---|---|`,
)
for (const make of makers) {
  const target = await make()
  const before = residentKib(target.pid)
  const child = spawn(load, ['127.0.0.1', String(target.port), String(clients), '30000', '0'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  const kib = (residentKib(target.pid) - before) / clients
  const cpuBefore = cpuOf(target.pid)
  await new Promise((resolve) => {
    setTimeout(resolve, IDLE_MS)
  })
  const cpu = cpuOf(target.pid)
  console.log(
    `| ${target.name} | ${kib.toFixed(1)} | ${((cpu.user + cpu.system - cpuBefore.user - cpuBefore.system) / 1000).toFixed(0)} |`,
  )
  const ended = once(child, 'exit')
  child.stdin.end()
  await ended
  await target.stop()
}
console.log()
