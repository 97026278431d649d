// npm run bench -- client [rounds]: 64 GETs of 1 KiB at a time from nginx on the other core; what is measured is the client.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile, interleave, report, ROOT, type Sample, type Target } from './harness.js'
import { has, startNginx } from './nginx.js'

const rounds = Number(process.argv[2] ?? 3)
const CONNECTIONS = '64'
const MILLISECONDS = '1500'
const CLIENT_CORE = '1'

if (!has('nginx')) throw new Error('nginx is missing: apt-get install nginx-light')
const folder = mkdtempSync(join(tmpdir(), 'bench-client-'))
writeFileSync(join(folder, 'file'), 'x'.repeat(1024))
const nginx = await startNginx(folder, `root ${folder};`)
const url = `http://127.0.0.1:${nginx.port}/file`

const npm = (kind: string): readonly string[] => [process.execPath, join(ROOT, 'bench/peers/client-npm.mjs'), kind]
const ours = (kind: string): readonly string[] => [process.execPath, join(ROOT, '.build/bench/client-load.js'), kind]
const python = (kind: string): readonly string[] => [
  '/usr/bin/python3',
  join(ROOT, 'bench/peers/client_python.py'),
  kind,
]
const bun = join(ROOT, 'bench/peers/node_modules/.bin/bun')
const go = compile('peers/client-go.go')

const CLIENTS = new Map<string, readonly string[]>([
  ['undici.request', npm('undici')],
  ['moorage, Session.get', ours('session')],
  ['moorage, request', ours('request')],
  ['fetch of Node', npm('fetch')],
  ['node:http with an agent', npm('http')],
  ['axios', npm('axios')],
  ['got', npm('got')],
  ['ky', npm('ky')],
  ...(existsSync(bun) ? [['Bun', [bun, join(ROOT, 'bench/peers/client-bun.mjs')]] as const] : []),
  ...(go === undefined ? [] : [['Go net/http', [go]] as const]),
  ['Python requests, 64 threads', python('requests')],
  ['Python httpx', python('httpx')],
  ['Python aiohttp', python('aiohttp')],
])

async function run({ name }: Target): Promise<Sample> {
  const [command = '', ...args] = CLIENTS.get(name) ?? []
  const child = spawn('taskset', ['-c', CLIENT_CORE, command, ...args, url, CONNECTIONS, MILLISECONDS], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += String(chunk)))
  await once(child, 'close')
  const sample: Sample = JSON.parse(text)
  return sample
}

/** Those that cannot be run here are named, and left out. */
async function runnable(): Promise<Target[]> {
  const found: Target[] = []
  for (const name of CLIENTS.keys()) {
    const target: Target = { name, port: nginx.port, pid: nginx.pid, stop: () => Promise.resolve() }
    try {
      await run(target)
      found.push(target)
    } catch {
      console.log(`left out: ${name}, which does not run here`)
    }
  }
  return found
}

try {
  const samples = await interleave(await runnable(), rounds, run)
  console.log(
    report('HTTP clients, 64 GETs of 1 KiB at a time, each read as text', samples).replace('| server |', '| client |'),
  )
} finally {
  await nginx.stop()
  rmSync(folder, { recursive: true, force: true })
}
