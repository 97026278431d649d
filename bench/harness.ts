import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const BUILD = join(ROOT, '.build/bench-bin')
/** Linux counts CPU time in these. */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const SERVER_CORE = '0'
const LOAD_CORE = cpus().length > 1 ? '1' : '0'

/**
 * Compiles a C or Go source of bench/ once; `undefined` with a printed reason where the compiler, or a library that the
 * flags name, is missing.
 */
export function compile(source: string, flags: readonly string[] = []): string | undefined {
  const path = join(ROOT, 'bench', source)
  const output = join(BUILD, [source, ...flags].join('').replaceAll(/[/.]/g, '-'))
  mkdirSync(BUILD, { recursive: true })
  if (existsSync(output) && statSync(output).mtimeMs > statSync(path).mtimeMs) return output
  const [command, args] = source.endsWith('.go')
    ? ['go', ['build', '-o', output, path]]
    : ['cc', ['-O2', '-Wall', '-o', output, path, ...flags]]
  try {
    execFileSync(command, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, GO111MODULE: 'off', GOPATH: process.env['GOPATH'] ?? '/usr/share/gocode' },
    })
    return output
  } catch (error) {
    console.log(`left out: ${source} (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`)
    return undefined
  }
}

export interface Target {
  readonly name: string
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** Starts a server, waits for the port that it prints, and keeps it on its core (`cores` for those with workers). */
export async function startTarget(
  name: string,
  command: string,
  args: readonly string[],
  cores: string = SERVER_CORE,
): Promise<Target> {
  // What a peer says of clients that end (Python prints a traceback for each) is not part of the figures.
  const errors = name.startsWith('Python') ? 'ignore' : 'inherit'
  const child = spawn('taskset', ['-c', cores, command, ...args], { stdio: ['ignore', 'pipe', errors] })
  const port = await firstLine(child)
  const { pid = 0 } = child
  return {
    name,
    port: Number(port),
    pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += String(chunk)
      const end = text.indexOf('\n')
      if (end !== -1) resolve(text.slice(0, end))
    })
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it printed its port`)))
  })
}

export interface Cpu {
  readonly user: number
  readonly system: number
}

/** Microseconds of CPU that a process and its children have used. */
export function cpuOf(pid: number): Cpu {
  const total = { user: 0, system: 0 }
  for (const each of [pid, ...childrenOf(pid)]) {
    const stat = readFileSync(`/proc/${each}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    total.user += (Number(fields[11]) / TICKS_PER_SECOND) * 1e6
    total.system += (Number(fields[12]) / TICKS_PER_SECOND) * 1e6
  }
  return total
}

/** Resident KiB of a process alone. */
export function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
}

function childrenOf(pid: number): number[] {
  const children: number[] = []
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    for (const child of readIfThere(`/proc/${pid}/task/${task}/children`).trim().split(' '))
      if (child !== '') children.push(Number(child), ...childrenOf(Number(child)))
  }
  return children
}

/** A thread that has ended meanwhile has no children any more. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export interface LoadReport {
  readonly messages: number
  readonly seconds: number
  readonly bytes?: number
  readonly p50us?: number
  readonly p99us?: number
}

export interface Sample extends LoadReport {
  readonly userUs: number
  readonly systemUs: number
}

/** Runs a load program on the other core, and measures what the server spent for each message. */
export async function measure(
  target: Target,
  load: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Sample> {
  const before = cpuOf(target.pid)
  const child = spawn('taskset', ['-c', LOAD_CORE, load, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += String(chunk)))
  await once(child, 'close')
  const after = cpuOf(target.pid)
  const report: LoadReport = JSON.parse(text)
  return {
    ...report,
    userUs: (after.user - before.user) / report.messages,
    systemUs: (after.system - before.system) / report.messages,
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/**
 * Rounds in which each target is measured in turn, so that what else the machine does meets all alike; one round to
 * warm up is thrown away. The ratios are medians of the ratios within a round.
 */
export async function interleave(
  targets: readonly Target[],
  rounds: number,
  run: (target: Target) => Promise<Sample>,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(targets.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round += 1) {
    for (const target of targets) {
      const sample = await run(target)
      if (round > 0) samples.get(target.name)?.push(sample)
    }
  }
  return samples
}

/** With several messages under way on a connection none has a latency of its own. */
function latency(list: readonly Sample[], read: (sample: Sample) => number | undefined): string {
  const known = list.map(read).filter((value) => value !== undefined)
  return known.length === 0 ? '' : median(known).toFixed(0)
}

const megabytes = ({ bytes = 0, seconds }: Sample): number => bytes / 1e6 / seconds

/**
 * A Markdown table: CPU by message, rate, latency, and how many times cheaper than the first row; with `inBytes` also the
 * megabytes a second, and how many times faster.
 */
export function report(
  title: string,
  samples: ReadonlyMap<string, readonly Sample[]>,
  inBytes: boolean = false,
): string {
  const [first] = samples.values()
  const cost = ({ userUs, systemUs }: Sample): number => userUs + systemUs
  const rows = [...samples].map(([name, list]) => {
    const ratio = median(list.map((sample, i) => cost(first?.[i] ?? sample) / cost(sample)))
    const cells = [
      name,
      median(list.map(cost)).toFixed(2),
      median(list.map(({ userUs }) => userUs)).toFixed(2),
      median(list.map(({ systemUs }) => systemUs)).toFixed(2),
      Math.round(median(list.map(({ messages, seconds }) => messages / seconds))).toLocaleString('en'),
      latency(list, ({ p50us }) => p50us),
      latency(list, ({ p99us }) => p99us),
      `${ratio.toFixed(2)} ×`,
    ]
    if (inBytes) {
      const faster = median(list.map((sample, i) => megabytes(sample) / megabytes(first?.[i] ?? sample)))
      cells.push(median(list.map(megabytes)).toFixed(0), `${faster.toFixed(2)} ×`)
    }
    return `| ${cells.join(' | ')} |`
  })
  return [
    `### ${title}`,
    '',
    `| server | CPU µs/message | user | system | messages/s | p50 µs | p99 µs | against the first |${inBytes ? ' MB/s | against the first |' : ''}`,
    `|---|---|---|---|---|---|---|---|${inBytes ? '---|---|' : ''}`,
    ...rows,
    '',
  ].join('\n')
}
