// npm run bench -- http [rounds]: "Hello, world!" over 64 connections that are kept: one request under way on each, then
// sixteen, and a handler that is async, reads a field and sends JSON.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile, interleave, measure, report, ROOT, startTarget, type Target } from './harness.js'
import { has, startNginx } from './nginx.js'

const rounds = Number(process.argv[2] ?? 7)
const load = compile('load/http-load.c')
if (load === undefined) throw new Error('the load program needs a C compiler')
const folder = mkdtempSync(join(tmpdir(), 'moorage-bench-'))
const servers = join(ROOT, '.build/bench/servers.js')
const peer = (file: string): string => join(ROOT, 'bench/peers', file)

const started: Promise<Target>[] = [
  startTarget('node:http', process.execPath, [peer('http-node.mjs')]),
  startTarget('moorage', process.execPath, [servers, 'http']),
  startTarget('node:net, heads not read', process.execPath, [peer('http-net.mjs')]),
]
for (const name of ['fastify', 'express', 'hono', 'polka'])
  if (existsSync(join(ROOT, 'bench/peers/node_modules', name)))
    started.push(startTarget(name, process.execPath, [peer(`http-${name}.mjs`)]))
const epoll = compile('peers/epoll-http.c')
if (epoll !== undefined) started.push(startTarget('C, epoll, heads not read', epoll, []))
const go = compile('peers/http-go.go')
if (go !== undefined) started.push(startTarget('Go net/http', go, []))
if (has('nginx'))
  started.push(
    startNginx(folder, 'location / { default_type "text/plain; charset=utf-8"; return 200 "Hello, world!\\n"; }'),
  )
const bun = join(ROOT, 'bench/peers/node_modules/.bin/bun')
if (existsSync(bun)) started.push(startTarget('Bun', bun, [peer('http-bun.mjs')]))
started.push(startTarget('Python ThreadingHTTPServer', '/usr/bin/python3', [peer('http_threading.py')]))
started.push(startTarget('Python aiohttp', '/usr/bin/python3', [peer('http_aiohttp.py')]))

const targets: Target[] = []
for (const [i, result] of (await Promise.allSettled(started)).entries()) {
  if (result.status === 'fulfilled') targets.push(result.value)
  else console.log(`left out: peer ${i} (${String(result.reason)})`)
}
const json = await Promise.all([
  startTarget('node:http, JSON', process.execPath, [peer('http-node.mjs')]),
  startTarget('moorage, text', process.execPath, [servers, 'http']),
  startTarget('moorage, async, a field, JSON', process.execPath, [servers, 'http-json']),
])
const run =
  (depth: string, path: string): ((target: Target) => ReturnType<typeof measure>) =>
  (target) =>
    measure(target, load, ['127.0.0.1', String(target.port), '64', '1000', depth, path])
try {
  console.log(report('HTTP, 64 connections', await interleave(targets, rounds, run('1', '/'))))
  console.log(
    report('HTTP, 64 connections, 16 requests under way on each', await interleave(targets, rounds, run('16', '/'))),
  )
  console.log(
    report('HTTP, 64 connections, a handler that does more', await interleave(json, rounds, run('1', '/json'))),
  )
} finally {
  await Promise.all([...targets, ...json].map((target) => target.stop()))
  rmSync(folder, { recursive: true, force: true })
}
