// npm run bench -- slow [clients]: a third of the clients send their heads byte by byte, a third their bodies, a third never read what
// they asked for. How long an honest client waits meanwhile, and whether the limits of time end the others.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { compile, ROOT, startTarget, type LoadReport } from './harness.js'

const count = Number(process.argv[2] ?? 5000)
const DRIP_MS = 500
const MUST_END_MS = 30_000

const target = await startTarget('moorage', process.execPath, [join(ROOT, '.build/bench/servers.js'), 'http-impatient'])
const { port } = target
const ways = [
  {
    name: 'heads',
    begin: '',
    drip: 'GET / HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy',
  },
  { name: 'bodies', begin: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n', drip: 'x'.repeat(10_000) },
  { name: 'readers', begin: 'GET /flood HTTP/1.1\r\nHost: a\r\n\r\n', drip: '' },
] as const
const left = { heads: 0, bodies: 0, readers: 0 }
const answered = { heads: 0, bodies: 0, readers: 0 }

function slow({ name, begin, drip }: (typeof ways)[number]): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1')
    if (name === 'readers') socket.pause()
    left[name] += 1
    socket.on('connect', () => socket.write(begin))
    let sent = 0
    const timer = setInterval(() => {
      // One that does not read learns of its end when it sends.
      if (name === 'readers') socket.write(' ')
      else socket.write(drip[sent++] ?? 'x')
    }, DRIP_MS)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    const over = (): void => {
      clearInterval(timer)
      left[name] -= 1
      if (text.startsWith('HTTP/1.1 408')) answered[name] += 1
      resolve()
    }
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.once('close', over)
  })
}

const HONEST_MS = 10_000
const load = compile('load/http-load.c')
if (load === undefined) throw new Error('the load program needs a C compiler')

/** One connection, one request after the other, from a process of its own. */
async function honest(): Promise<LoadReport> {
  const child = spawn(load ?? '', ['127.0.0.1', String(port), '1', String(HONEST_MS), '1', '/'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += String(chunk)))
  await once(child, 'close')
  return JSON.parse(text)
}

const began = performance.now()
const asking = honest()
const all = Promise.all(Array.from({ length: count }, (_, i) => slow(ways[i % 3] ?? ways[0])))
const patience = new Promise<void>((resolve) => {
  setTimeout(resolve, MUST_END_MS).unref()
})
await Promise.race([all, patience])
const seconds = (performance.now() - began) / 1000
const { messages, p50us = 0, p99us = 0 } = await asking
await target.stop()
const ms = (us: number): string => (us / 1000).toFixed(1)
console.log(`### ${count.toLocaleString('en')} slow clients at once, limits of 3 s\n`)
console.log('| what | value |\n|---|---|')
console.log(`| slow clients that were not ended | ${left.heads + left.bodies + left.readers} |`)
console.log(`| ended with 408 (heads, bodies) | ${answered.heads}, ${answered.bodies} |`)
console.log(`| all ended after | ${seconds.toFixed(1)} s |`)
console.log(`| requests of an honest client in the first ${HONEST_MS / 1000} s | ${messages} |`)
console.log(`| its p50, p99 | ${ms(p50us)}, ${ms(p99us)} ms |`)
process.exit(0)
