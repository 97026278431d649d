// npm run bench -- udp [rounds]: echo of 64 B over 16 sockets, 16 datagrams under way on each.
import { join } from 'node:path'
import { compile, interleave, measure, report, ROOT, startTarget, type Target } from './harness.js'

const rounds = Number(process.argv[2] ?? 7)
const load = compile('load/udp-load.c')
if (load === undefined) throw new Error('the load program needs a C compiler')

const servers = join(ROOT, '.build/bench/servers.js')
const started: Promise<Target>[] = [
  startTarget('node:dgram', process.execPath, [join(ROOT, 'bench/peers/node-dgram.mjs')]),
  startTarget('moorage, sink, addon', process.execPath, [servers, 'udp-sink']),
  startTarget('moorage, UdpServer, addon', process.execPath, [servers, 'udp']),
  startTarget('moorage, sink, node:dgram', process.execPath, [servers, 'udp-sink-fallback']),
  startTarget('moorage, UdpServer, node:dgram', process.execPath, [servers, 'udp-fallback']),
]
const go = compile('peers/udp-echo.go')
if (go !== undefined) started.push(startTarget('Go net', go, []))
started.push(startTarget('Python asyncio', '/usr/bin/python3', [join(ROOT, 'bench/peers/asyncio_udp.py')]))

const targets = await Promise.all(started)
try {
  const samples = await interleave(targets, rounds, ({ port, ...rest }) =>
    measure({ port, ...rest }, load, ['127.0.0.1', String(port), '1', '16', '16', '64']),
  )
  console.log(report('UDP echo, 64 B, 16 sockets with 16 datagrams under way each', samples))
} finally {
  await Promise.all(targets.map((target) => target.stop()))
}
