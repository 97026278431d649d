// npm run bench -- tcp [rounds]: echo of 64 B over 64 connections, and 64 KiB both ways at once over 8.
import { join } from 'node:path'
import { compile, interleave, measure, report, ROOT, startTarget, type Target } from './harness.js'

const rounds = Number(process.argv[2] ?? 7)
const load = compile('load/tcp-load.c')
if (load === undefined) throw new Error('the load program needs a C compiler')

const servers = join(ROOT, '.build/bench/servers.js')
const started: Promise<Target>[] = [
  startTarget('node:net', process.execPath, [join(ROOT, 'bench/peers/node-net.mjs')]),
  startTarget('moorage, sink', process.execPath, [servers, 'sink']),
  startTarget('moorage, async handler', process.execPath, [servers, 'async']),
  startTarget('moorage, sink, portable path', process.execPath, [servers, 'sink-fallback']),
  startTarget('moorage, async, portable path', process.execPath, [servers, 'async-fallback']),
]
const epoll = compile('peers/epoll-echo.c')
if (epoll !== undefined) started.push(startTarget('C, epoll', epoll, []))
const go = compile('peers/tcp-echo.go')
if (go !== undefined) started.push(startTarget('Go net', go, []))
for (const [name, file] of [
  ['Python asyncio', 'asyncio_tcp.py'],
  ['Python ThreadingTCPServer', 'threading_tcp.py'],
] as const) {
  started.push(startTarget(name, '/usr/bin/python3', [join(ROOT, 'bench/peers', file)]))
}

const targets = await Promise.all(started)
try {
  const small = await interleave(targets, rounds, (target) =>
    measure(target, load, ['127.0.0.1', String(target.port), '64', '64', '1000']),
  )
  console.log(report('TCP echo, 64 B, 64 connections', small))
  const large = await interleave(targets, rounds, (target) =>
    measure(target, load, ['127.0.0.1', String(target.port), '8', '65536', '1000', '4']),
  )
  console.log(report('TCP, 64 KiB messages both ways at once, 8 connections, 4 messages under way each', large))
} finally {
  await Promise.all(targets.map((target) => target.stop()))
}
