// npm run bench -- bulk [rounds]: 1 GiB downloaded to disk and to nowhere, and uploaded in a form; what is measured is the
// client, as a whole process on a core of its own.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { compile, median, ROOT, startTarget, type Target } from './harness.js'
import { has, startNginx } from './nginx.js'

const rounds = Number(process.argv[2] ?? 3)
const BYTES = 2 ** 30
const CLIENT_CORE = '1'
const JOBS = ['disk', 'nowhere', 'upload'] as const
type Job = (typeof JOBS)[number]

const TITLES: Readonly<Record<Job, string>> = {
  disk: 'HTTP clients, 1 GiB from nginx to a file',
  nowhere: 'HTTP clients, 1 GiB from nginx to nowhere',
  upload: 'HTTP clients, a file of 1 GiB in a form',
}

interface Timed {
  readonly seconds: number
  readonly user: number
  readonly system: number
  readonly residentKib: number
}

type Command = (job: Job, url: string, file: string) => readonly string[] | undefined

const npm =
  (client: string, jobs: readonly Job[] = JOBS): Command =>
  (job, url, file) =>
    jobs.includes(job) ? [process.execPath, join(ROOT, 'bench/peers/bulk-npm.mjs'), client, job, url, file] : undefined
const python =
  (client: string): Command =>
  (job, url, file) => ['/usr/bin/python3', join(ROOT, 'bench/peers/bulk_python.py'), client, job, url, file]
const curl: Command = (job, url, file) =>
  job === 'upload'
    ? ['curl', '-s', '-F', `file=@${file}`, url]
    : ['curl', '-s', '-o', job === 'disk' ? file : '/dev/null', url]
const bun = join(ROOT, 'bench/peers/node_modules/.bin/bun')
const go = compile('peers/bulk-go.go')

const CLIENTS = new Map<string, Command>([
  ['undici', npm('undici')],
  ['moorage', (job, url, file) => [process.execPath, join(ROOT, '.build/bench/bulk-load.js'), job, url, file]],
  ['fetch of Node', npm('fetch')],
  ['node:http', npm('http', ['disk', 'nowhere'])],
  ['axios', npm('axios')],
  ['got', npm('got')],
  ['curl', curl],
  ...(existsSync(bun)
    ? [
        [
          'Bun',
          (job: Job, url: string, file: string) => [bun, join(ROOT, 'bench/peers/bulk-bun.mjs'), job, url, file],
        ] as const,
      ]
    : []),
  ...(go === undefined
    ? []
    : [['Go net/http', (job: Job, url: string, file: string) => [go, job, url, file]] as const]),
  ['Python requests', python('requests')],
  ['Python httpx', python('httpx')],
  ['Python aiohttp', python('aiohttp')],
])

const run = promisify(execFile)

async function timed(command: readonly string[]): Promise<Timed | undefined> {
  try {
    const { stdout } = await run('taskset', [
      '-c',
      CLIENT_CORE,
      '/usr/bin/python3',
      join(ROOT, 'bench/peers/timed.py'),
      ...command,
    ])
    const found: Timed = JSON.parse(stdout)
    return found
  } catch {
    return undefined // It does not run here, or cannot do this.
  }
}

async function compare(job: Job, url: string, source: string): Promise<void> {
  const samples = new Map<string, Timed[]>()
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, commandOf] of CLIENTS) {
      const target = join(folder, 'target')
      const command = commandOf(job, url, job === 'upload' ? source : target)
      const sample = command === undefined ? undefined : await timed(command)
      rmSync(target, { force: true })
      if (sample === undefined) {
        if (command !== undefined && round === 0) console.log(`left out: ${name}, which does not run here`)
      } else if (round > 0) samples.set(name, [...(samples.get(name) ?? []), sample])
    }
  }
  print(TITLES[job], samples)
}

function print(title: string, samples: ReadonlyMap<string, readonly Timed[]>): void {
  const [first = []] = samples.values()
  console.log(`\n### ${title}\n`)
  console.log(
    '| client | CPU ms | user | system | MB/s | memory MiB | CPU against the first | MB/s against the first |',
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |')
  for (const [name, list] of samples) {
    const of = (read: (sample: Timed) => number): number => median(list.map(read))
    const against = (read: (sample: Timed) => number): string =>
      median(list.map((sample, i) => (first[i] === undefined ? 0 : read(first[i]) / read(sample)))).toFixed(2)
    const figures = [
      of(({ user, system }) => (user + system) * 1000).toFixed(0),
      of(({ user }) => user * 1000).toFixed(0),
      of(({ system }) => system * 1000).toFixed(0),
      of(({ seconds }) => BYTES / 1e6 / seconds).toFixed(0),
      of(({ residentKib }) => residentKib / 1024).toFixed(0),
      `${against(({ user, system }) => user + system)} ×`,
      `${against(({ seconds }) => seconds)} ×`,
    ]
    console.log(`| ${[name, ...figures].join(' | ')} |`)
  }
}

if (!has('nginx') || !has('curl')) throw new Error('nginx or curl is missing: apt-get install nginx-light curl')
const folder = mkdtempSync(join(tmpdir(), 'bench-bulk-'))
const source = join(folder, 'file')
writeFileSync(source, '')
truncateSync(source, BYTES)
const servers: Target[] = []
try {
  const nginx = await startNginx(folder, `root ${folder}; sendfile on;`)
  const sink = await startTarget('moorage', process.execPath, [join(ROOT, '.build/bench/bulk-sink.js')])
  servers.push(nginx, sink)
  for (const job of JOBS)
    await compare(
      job,
      job === 'upload' ? `http://127.0.0.1:${sink.port}/` : `http://127.0.0.1:${nginx.port}/file`,
      source,
    )
} finally {
  for (const server of servers) await server.stop()
  rmSync(folder, { recursive: true, force: true })
}
