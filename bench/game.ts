// npm run bench -- game [rounds]: the game of examples/game with 100 bots at 30 ticks a second for 20 s: how long its ticks
// take, how late they begin, and what it costs. The server has one core, the bots the other.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { join } from 'node:path'
import type { BotsReport } from '../examples/game/bots.js'
import type { Spread } from '../examples/game/samples.js'
import type { GameReport } from '../examples/game/server.js'
import { cpuOf, ROOT } from './harness.js'

const rounds = Number(process.argv[2] ?? 1)
const BOTS = 100
const TICKS_PER_SECOND = 30
const SECONDS = 20
/** Before it is measured, all that runs often is compiled. */
const WARM_UP_SECONDS = 4
const START = join(ROOT, '.build/examples/game/start.js')
const LIMIT_MS = 1000 / TICKS_PER_SECOND

const program = (core: string, ...args: readonly string[]): ChildProcess =>
  spawn('taskset', ['-c', core, process.execPath, START, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of stdout ?? []) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  return text.trim()
}

async function reportOf(url: string, ticks: number): Promise<GameReport> {
  const answer = await fetch(`${url}/report?ticks=${ticks}`)
  const report: GameReport = JSON.parse(await answer.text())
  return report
}

interface Result extends GameReport {
  readonly cpuShare: number
  readonly bots: BotsReport
}

async function run(): Promise<Result> {
  const server = program('0', 'http://127.0.0.1:0', '--seed', '1')
  const url = (await firstLine(server)).replace('listening on ', '')
  const { pid = 0 } = server
  const bots = program('1', 'bots', url, String(BOTS), '--seconds', String(SECONDS + 2 * WARM_UP_SECONDS))
  const ended = firstLine(bots)
  while ((await reportOf(url, 1)).players < BOTS) await pause(100)
  await pause(WARM_UP_SECONDS * 1000)
  const [before, startMs] = [cpuOf(pid), performance.now()]
  await pause(SECONDS * 1000)
  const [after, seconds] = [cpuOf(pid), (performance.now() - startMs) / 1000]
  const report = await reportOf(url, Math.round(seconds * TICKS_PER_SECOND))
  const played: BotsReport = JSON.parse(await ended)
  const exit = once(server, 'exit')
  server.kill('SIGTERM')
  await exit
  const used = after.user + after.system - before.user - before.system
  return { ...report, cpuShare: used / 1e6 / seconds, bots: played }
}

const cells = ({ p50, p99, max }: Spread): string => `${p50.toFixed(2)} | ${p99.toFixed(2)} | ${max.toFixed(2)}`

console.log(`### A game: ${BOTS} bots, ${TICKS_PER_SECOND} ticks a second, ${SECONDS} s\n`)
console.log('| run | what, ms | p50 | p99 | max |\n|---|---|---|---|---|')
const notes: string[] = []
for (let round = 1; round <= rounds; round += 1) {
  const { durationMs, lateMs, intervalMs, skipped, cpuShare, bots } = await run()
  console.log(`| ${round} | a tick takes | ${cells(durationMs)} |`)
  console.log(`| ${round} | a tick is late by | ${cells(lateMs)} |`)
  console.log(`| ${round} | from tick to tick | ${cells(intervalMs)} |`)
  console.log(`| ${round} | from message to message at a bot | ${cells(bots.intervalMs)} |`)
  const perBot = bots.bytes / bots.bots / bots.seconds
  const holds = skipped === 0 && durationMs.p99 < LIMIT_MS && lateMs.p99 < LIMIT_MS
  notes.push(
    `Run ${round}: ${(cpuShare * 100).toFixed(0)} % of one core, ${(perBot / 1000).toFixed(1)} kB a second to each of the bots, ` +
      `${(bots.messages / bots.bots / bots.seconds).toFixed(1)} messages and ${(bots.inputs / bots.bots / bots.seconds).toFixed(1)} inputs ` +
      `a second; ${skipped} ticks skipped; p99 below ${LIMIT_MS.toFixed(0)} ms: ${holds ? 'yes' : 'no'}.`,
  )
}
console.log(`\n${notes.join('\n')}\n`)
