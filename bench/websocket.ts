// npm run bench -- websocket [rounds] [speed|idle]: echo of 64 bytes over 64 connections, of 16 KiB, one publisher to 1,000 subscribers
// (one message under way, sixteen, and one subscriber that does not read), and the memory of 10,000 idle peers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compile, interleave, measure, median, report, residentKib, ROOT, startTarget, type Target } from './harness.js'

const rounds = Number(process.argv[2] ?? 5)
const IDLE_PEERS = 10_000
const SUBSCRIBERS = '1000'
const load = compile('load/ws-load.c')
if (load === undefined) throw new Error('the load program needs a C compiler')
const loadProgram: string = load
const servers = join(ROOT, '.build/bench/servers.js')
const peer = (file: string): string => join(ROOT, 'bench/peers', file)

/** How a server is spoken to: socket.io has frames of its own inside of those of WebSocket. */
interface Speech {
  readonly echo: Readonly<Record<string, string>>
  readonly all: Readonly<Record<string, string>>
}
const PLAIN: Speech = { echo: { WS_PATH: '/' }, all: { WS_PATH: '/all' } }
const event = (name: string): Readonly<Record<string, string>> => ({
  WS_PATH: '/socket.io/?EIO=4&transport=websocket',
  WS_PRELUDE: '40',
  WS_SKIP: '2',
  WS_BEFORE: `42["${name}","`,
  WS_AFTER: '"]',
})
const SOCKET_IO: Speech = { echo: event('echo'), all: event('all') }

interface Peer {
  readonly name: string
  readonly start: () => Promise<Target>
  readonly speech: Speech
}
const node = (name: string, args: readonly string[], speech: Speech = PLAIN): Peer => ({
  name,
  start: () => startTarget(name, process.execPath, args),
  speech,
})
const command = (name: string, program: string, args: readonly string[]): Peer => ({
  name,
  start: () => startTarget(name, program, args),
  speech: PLAIN,
})
const npm = join(ROOT, 'bench/peers/node_modules')
const bun = join(npm, '.bin/bun')
const go = compile('peers/ws-go.go')
const peers: readonly Peer[] = [
  node('ws, with bufferutil', [peer('ws-ws.mjs')]),
  node('moorage', [servers, 'websocket']),
  node('moorage, a handler that iterates', [servers, 'websocket-async']),
  command('ws, without bufferutil', 'env', ['WS_NO_BUFFER_UTIL=1', process.execPath, peer('ws-ws.mjs')]),
  node('socket.io', [peer('ws-socketio.mjs')], SOCKET_IO),
  ...(existsSync(bun) ? [command('Bun (uWebSockets inside)', bun, [peer('ws-bun.mjs')])] : []),
  ...(go === undefined ? [] : [command('Go, gorilla/websocket', go, [])]),
  command('Python websockets', '/usr/bin/python3', [peer('ws_python.py')]),
]

const run =
  (speech: (target: string) => Readonly<Record<string, string>>, ...args: readonly string[]) =>
  async (target: Target): ReturnType<typeof measure> => {
    const [mode = 'echo', ...rest] = args
    return measure(target, loadProgram, [mode, String(target.port), ...rest], speech(target.name))
  }

console.log('left out: uWebSockets.js, which the npm registry does not have; Bun’s server stands on uWebSockets')

async function startAll(list: readonly Peer[]): Promise<Target[]> {
  const started: Target[] = []
  for (const { name, start } of list) {
    try {
      started.push(await start())
    } catch (error) {
      console.log(`left out: ${name} (${String(error)})`)
    }
  }
  return started
}

const speechOf = (name: string): Speech => peers.find((known) => known.name === name)?.speech ?? PLAIN
const echo = (name: string): Readonly<Record<string, string>> => speechOf(name).echo
const all = (name: string): Readonly<Record<string, string>> => speechOf(name).all

async function speed(): Promise<void> {
  const targets = await startAll(peers)
  try {
    const broadcasters = targets.filter(({ name }) => !name.includes('iterates'))
    const binary = targets.filter(({ name }) => name !== 'socket.io')
    const title = 'WebSocket, echo'
    console.log(
      report(
        `${title}, 64 bytes, 64 connections`,
        await interleave(targets, rounds, run(echo, 'echo', '64', '64', '1000', 'text')),
      ),
    )
    console.log(
      report(
        `${title}, 16 KiB binary, 64 connections`,
        await interleave(binary, rounds, run(echo, 'echo', '64', '16384', '1000', 'binary')),
        true,
      ),
    )
    for (const [window, what] of [
      ['1', 'one message under way'],
      ['16', '16 messages under way'],
    ] as const)
      console.log(
        report(
          `WebSocket, one publisher to ${SUBSCRIBERS} subscribers, 64 bytes, ${what}; a message is one delivery`,
          await interleave(broadcasters, rounds, run(all, 'broadcast', SUBSCRIBERS, '64', '1500', window, '0')),
        ),
      )
    await stalled(targets.filter(({ name }) => name === 'moorage'))
  } finally {
    await Promise.all(targets.map((target) => target.stop()))
  }
}

/** The same with and without one subscriber that never reads, in turn: what the others notice. */
async function stalled([target]: readonly Target[]): Promise<void> {
  if (target === undefined) return
  const [clear, blocked]: [number[], number[]] = [[], []]
  let most = 0
  for (let round = 0; round <= rounds; round += 1)
    for (const [list, count] of [
      [clear, '0'],
      [blocked, '1'],
    ] as const) {
      const watch = setInterval(() => (most = Math.max(most, residentKib(target.pid))), 20)
      const { p99us = 0 } = await run(all, 'broadcast', SUBSCRIBERS, '64', '3000', '1', count)(target)
      clearInterval(watch)
      if (round > 0) list.push(p99us / 1000)
    }
  console.log('### One subscriber in a thousand that does not read\n')
  console.log('| p99 of a delivery to the others, ms | |\n|---|---|')
  console.log(`| all read | ${median(clear).toFixed(2)} |\n| one does not | ${median(blocked).toFixed(2)} |`)
  console.log(`| allowed: 1.2 times that, and 5 ms | ${(median(clear) * 1.2 + 5).toFixed(2)} |`)
  console.log(`\nResident memory of the server at most: ${(most / 1024).toFixed(0)} MiB.\n`)
}

async function idle(): Promise<void> {
  console.log(`### ${IDLE_PEERS.toLocaleString('en')} idle peers, after one message each\n`)
  console.log(
    '| server | KiB each | against the first | KiB each with compression | against the first |\n|---|---|---|---|---|',
  )
  const makers: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['ws, with bufferutil', [peer('ws-ws.mjs')], [peer('ws-ws.mjs'), 'deflate']],
    ['moorage', [servers, 'websocket'], [servers, 'websocket-deflate']],
  ]
  const first: number[] = []
  for (const [name, plain, deflate] of makers) {
    const cells: string[] = []
    for (const [i, args] of [plain, deflate].entries()) {
      const kib = await idleKib(name, args, i === 1)
      first[i] ??= kib
      cells.push(kib.toFixed(1), `${(kib / (first[i] ?? kib)).toFixed(2)} ×`)
    }
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  }
  console.log()
}

async function idleKib(name: string, args: readonly string[], deflates: boolean): Promise<number> {
  const target = await startTarget(name, process.execPath, args)
  const env = { ...PLAIN.echo, ...(deflates ? { WS_DEFLATE: '1' } : {}) }
  // What the runtime takes once for being busy is not the peers'.
  await measure(target, loadProgram, ['echo', String(target.port), '64', '64', '2000', 'text'], env)
  const before = residentKib(target.pid)
  const child = spawn(loadProgram, ['idle', String(target.port), String(IDLE_PEERS)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { served } = JSON.parse(String((await lines.next()).value))
  if (served !== IDLE_PEERS) console.log(`(${name} served ${served})`)
  const kib = (residentKib(target.pid) - before) / IDLE_PEERS
  const ended = once(child, 'exit')
  child.stdin.end()
  await ended
  await target.stop()
  return kib
}

if (process.argv[3] !== 'idle') await speed()
if (process.argv[3] !== 'speed') await idle()
