// npm run bench -- models [rounds]: what each model costs, whether a busy worker is felt by others, and what a second
// worker brings where each accepts by itself.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { cpus } from 'node:os'
import { compile, interleave, measure, median, report, ROOT, startTarget, type Sample, type Target } from './harness.js'

const rounds = Number(process.argv[2] ?? 7)
const load = compile('load/tcp-load.c')
const probe = compile('load/probe-load.c')
if (load === undefined || probe === undefined) throw new Error('the load programs need a C compiler')

const servers = join(ROOT, '.build/bench/servers.js')
const BURN_MS = 1800
const start = (name: string, kind: string, cores?: string): Promise<Target> =>
  startTarget(name, process.execPath, [servers, kind], cores)

interface Latency {
  readonly count: number
  readonly p50us: number
  readonly p99us: number
  readonly maxus: number
}

interface Probe {
  readonly missing: number
  readonly fresh: Latency
  readonly old: Latency
}

async function burn(): Promise<void> {
  console.log('### Echo while one handler burns 2 s of CPU, size 2, accept: parent\n')
  console.log('| model | client | echoes | unanswered | p50 µs | p99 µs | slowest µs |\n|---|---|---|---|---|---|---|')
  for (const [name, kind] of [
    ['threads', 'threads-2'],
    ['processes', 'processes-2'],
  ] as const) {
    const target = await start(name, kind, '0,1')
    const result: Probe = JSON.parse(
      execFileSync(probe ?? '', ['127.0.0.1', String(target.port), String(BURN_MS), 'burn'], { encoding: 'utf8' }),
    )
    for (const [who, { count, p50us, p99us, maxus }] of [
      ['connects after the burn began', result.fresh],
      ['was on the other worker', result.old],
    ] as const) {
      console.log(`| ${name} | ${who} | ${count} | ${result.missing} | ${p50us} | ${p99us} | ${maxus} |`)
    }
    await target.stop()
  }
  console.log()
}

const cost = ({ userUs, systemUs }: Sample): number => userUs + systemUs
const rate = ({ messages, seconds }: Sample): number => messages / seconds

async function compareModels(): Promise<void> {
  const targets = await Promise.all([
    start('concurrent', 'concurrent'),
    start('threads, size 2', 'threads-2'),
    start('processes, size 2', 'processes-2'),
  ])
  const samples = await interleave(targets, rounds, (target) =>
    measure(target, load ?? '', ['127.0.0.1', String(target.port), '64', '64', '1000']),
  )
  console.log(report('TCP echo, 64 B, 64 connections, by model (server on one core)', samples))
  await Promise.all(targets.map((target) => target.stop()))
}

async function shared(model: 'threads' | 'processes'): Promise<void> {
  const cores = cpus().length >= 4 ? '0,1' : '0'
  const targets = await Promise.all([
    start(`${model}, shared, 1 worker`, `${model}-shared-1`, cores),
    start(`${model}, shared, 2 workers`, `${model}-shared-2`, cores),
  ])
  const samples = await interleave(targets, rounds, (target) =>
    measure(target, load ?? '', ['127.0.0.1', String(target.port), '64', '64', '1000']),
  )
  const [one = [], two = []] = samples.values()
  console.log(report(`${model}({ accept: 'shared' }), 64 B, 64 connections`, samples))
  const costs = median(two.map((sample, i) => cost(sample) / cost(one[i] ?? sample)))
  const rates = median(two.map((sample, i) => rate(sample) / rate(one[i] ?? sample)))
  console.log(
    `two workers against one: CPU per message ${costs.toFixed(2)} ×, messages a second ${rates.toFixed(2)} × (${cpus().length} cores; the load has one of them)\n`,
  )
  await Promise.all(targets.map((target) => target.stop()))
}

await burn()
await compareModels()
await shared('threads')
await shared('processes')
