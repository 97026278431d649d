// npm run bench -- static [rounds]: files of 1 KiB, 100 KiB and 100 MiB over connections that are kept, and how long a
// folder of 100,000 entries takes to be listed. First in each table is nginx, which sends files from the kernel.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile, interleave, measure, median, report, residentKib, ROOT, startTarget, type Target } from './harness.js'
import { has, startNginx } from './nginx.js'

const rounds = Number(process.argv[2] ?? 7)
/** Without the slowest, for a quick look: `npm run bench -- static 3 sirv,nginx,moorage`. */
const only = process.argv[3]?.split(',')
const load = compile('load/http-load.c')
if (load === undefined) throw new Error('the load program needs a C compiler')
const folder = mkdtempSync(join(tmpdir(), 'moorage-bench-'))
const root = join(folder, 'root')
const MANY = 100_000

const SIZES = [
  { name: '1k.txt', title: '1 KiB', bytes: 1024, connections: '64', milliseconds: '1000' },
  { name: '100k.txt', title: '100 KiB', bytes: 100 * 1024, connections: '64', milliseconds: '1000' },
  { name: '100m.bin', title: '100 MiB', bytes: 100 * 1024 * 1024, connections: '4', milliseconds: '2000' },
] as const

mkdirSync(root)
for (const { name, bytes } of SIZES)
  writeFileSync(join(root, name), Buffer.alloc(bytes, 'Lorem ipsum dolor sit amet. '))
const peer = (file: string): string => join(ROOT, 'bench/peers', file)

const starts: (readonly [name: string, start: () => Promise<Target>])[] = [
  ['moorage', () => startTarget('moorage', process.execPath, [join(ROOT, '.build/bench/servers.js'), 'static', root])],
]
if (has('nginx')) starts.unshift(['nginx', () => startNginx(folder, `root ${root}; sendfile on; location / { }`)])
else console.log('left out: nginx (it is not installed)')
for (const name of ['sirv', 'serve', 'http-server', '@fastify/static']) {
  if (existsSync(peer(`node_modules/${name === 'serve' ? 'serve-handler' : name}`)))
    starts.push([name, () => startTarget(name, process.execPath, [peer('static-npm.mjs'), name, root])])
}
const go = compile('peers/static-go.go')
if (go !== undefined) starts.push(['Go', () => startTarget('Go http.FileServer', go, [root])])
starts.push([
  'Python',
  () => startTarget('Python SimpleHTTPRequestHandler', '/usr/bin/python3', [peer('static_threading.py'), root]),
])

const targets = await Promise.all(
  starts.filter(([name]) => only === undefined || only.includes(name)).map(([, start]) => start()),
)

/** From the request to the end of the page. */
async function listMany(target: Target): Promise<string> {
  const many = join(root, 'many')
  mkdirSync(many)
  for (let i = 0; i < MANY; i += 1) writeFileSync(join(many, `entry-${i}.txt`), '')
  const times: number[] = []
  let bytes = 0
  const before = residentKib(target.pid)
  for (let i = 0; i < 5; i += 1) {
    const began = performance.now()
    const answer = await fetch(`http://127.0.0.1:${target.port}/many/`, { headers: { Accept: 'text/html' } })
    bytes = (await answer.arrayBuffer()).byteLength
    times.push(performance.now() - began)
  }
  const grown = (residentKib(target.pid) - before) / 1024
  return [
    `### A folder of ${MANY.toLocaleString('en')} entries`,
    '',
    '| server | first list ms | median of 5 ms | page KiB | resident MiB more |',
    '|---|---|---|---|---|',
    `| ${target.name} | ${(times[0] ?? 0).toFixed(0)} | ${median(times).toFixed(0)} | ${(bytes / 1024).toFixed(0)} | ${grown.toFixed(0)} |`,
    '',
  ].join('\n')
}

try {
  for (const { name, title, connections, milliseconds } of SIZES) {
    const samples = await interleave(targets, rounds, (target) =>
      measure(target, load, ['127.0.0.1', String(target.port), connections, milliseconds, '1', `/${name}`]),
    )
    console.log(report(`Files of ${title}, ${connections} connections`, samples, true))
  }
  const ours = targets.find(({ name }) => name === 'moorage')
  if (ours !== undefined) console.log(await listMany(ours))
} finally {
  await Promise.all(targets.map((target) => target.stop()))
  rmSync(folder, { recursive: true, force: true })
}
