// npm run bench -- idle [clients]: resident memory and CPU of idle connections, TCP and HTTP; then the memory of a server that
// streams: a file of 10 GiB, a request body of 10 GiB, and a file to a slow reader.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compile, cpuOf, measure, residentKib, ROOT, startTarget, type Target } from './harness.js'

const clients = Number(process.argv[2] ?? 10_000)
const IDLE_MS = 3000
const WHOLE = 10 * 1024 ** 3
/** How long the slow reader reads, at a megabyte a second. */
const SLOW_SECONDS = 10

const load = compile('load/flood-load.c')
const warmUp = compile('load/http-load.c')
if (load === undefined || warmUp === undefined) throw new Error('the load program needs a C compiler')
const servers = join(ROOT, '.build/bench/servers.js')
const peer = (file: string): string => join(ROOT, 'bench/peers', file)

async function idle(
  title: string,
  protocol: 'echo' | 'http',
  makers: readonly (() => Promise<Target>)[],
): Promise<void> {
  console.log(`### ${clients.toLocaleString('en')} ${title}\n`)
  console.log(`| server | KiB each | CPU ms in ${IDLE_MS} ms | memory against the first |\n|---|---|---|---|`)
  let first: number | undefined
  for (const make of makers) {
    const target = await make()
    // What the runtime takes once for being busy is not the connections'.
    if (protocol === 'http')
      await measure(target, warmUp ?? '', ['127.0.0.1', String(target.port), '64', '2000', '1', '/'])
    const before = residentKib(target.pid)
    const child = spawn(load ?? '', ['127.0.0.1', String(target.port), String(clients), '30000', '0', protocol], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const { served } = JSON.parse(String((await lines.next()).value))
    if (served !== clients) console.log(`(${target.name} served ${served})`)
    const kib = (residentKib(target.pid) - before) / clients
    first ??= kib
    const cpuBefore = cpuOf(target.pid)
    await pause(IDLE_MS)
    const cpu = cpuOf(target.pid)
    const cpuMs = (cpu.user + cpu.system - cpuBefore.user - cpuBefore.system) / 1000
    console.log(`| ${target.name} | ${kib.toFixed(1)} | ${cpuMs.toFixed(0)} | ${(kib / first).toFixed(2)} × |`)
    const ended = once(child, 'exit')
    child.stdin.end()
    await ended
    await target.stop()
  }
  console.log()
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

/** The most memory that a server has while a program talks to it, and how long that takes. */
async function streaming(
  title: string,
  command: string,
  args: (port: number) => readonly string[],
  kind: string,
): Promise<void> {
  const target = await startTarget('moorage', process.execPath, [servers, kind, folder])
  const before = residentKib(target.pid)
  let most = before
  const watching = setInterval(() => (most = Math.max(most, residentKib(target.pid))), 50)
  const began = performance.now()
  const child = spawn(command, args(target.port), { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  clearInterval(watching)
  const seconds = (performance.now() - began) / 1000
  await target.stop()
  const mib = (kib: number): string => (kib / 1024).toFixed(0)
  console.log(`| ${title} | ${mib(before)} | ${mib(most)} | ${seconds.toFixed(1)} | ${code} |`)
}

const folder = mkdtempSync(join(tmpdir(), 'moorage-bench-'))
try {
  await idle('idle connections', 'echo', [
    () => startTarget('node:net', process.execPath, [peer('node-net.mjs')]),
    () => startTarget('moorage, async handler', process.execPath, [servers, 'async']),
    () => startTarget('moorage, sink', process.execPath, [servers, 'sink']),
    () => startTarget('moorage, async, portable path', process.execPath, [servers, 'async-fallback']),
    () => startTarget('Python asyncio', '/usr/bin/python3', [peer('asyncio_tcp.py')]),
  ])
  const go = compile('peers/http-go.go')
  await idle('idle HTTP connections, after one request each, of a server that was busy before', 'http', [
    () => startTarget('node:http', process.execPath, [peer('http-node.mjs')]),
    () => startTarget('moorage', process.execPath, [servers, 'http']),
    ...(go === undefined ? [] : [() => startTarget('Go net/http', go, [])]),
  ])
  const file = join(folder, 'sparse')
  writeFileSync(file, '')
  truncateSync(file, WHOLE)
  console.log(
    '### Memory while streaming\n\n| what | MiB before | MiB at most | seconds | exit |\n|---|---|---|---|---|',
  )
  const url = (port: number, path: string): string => `http://127.0.0.1:${port}/${path}`
  await streaming('a file of 10 GiB', 'curl', (port) => ['-sS', '-o', '/dev/null', url(port, 'sparse')], 'static')
  await streaming(
    'a request body of 10 GiB',
    'curl',
    (port) => ['-sS', '-o', '/dev/null', '-T', file, url(port, 'size')],
    'http-size',
  )
  await streaming(
    `a reader of 1 MB/s, for ${SLOW_SECONDS} s (28 is curl’s own limit)`,
    'curl',
    (port) => ['-s', '--limit-rate', '1M', '--max-time', String(SLOW_SECONDS), '-o', '/dev/null', url(port, 'sparse')],
    'static',
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
