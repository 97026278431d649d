// `moorage send` to `moorage receive` against nc piping the same file over loopback, in interleaved pairs. nc checks
// nothing and flushes nothing; a third row is nc with sha256sum at both ends, which does what moorage does by default.
// usage: node .build/bench/transfer.js [pairs] [MiB] [folder]
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const MIB = 1024 * 1024
const pairs = Number(process.argv[2] ?? 7)
const size = Number(process.argv[3] ?? 1024) * MIB
const folder = mkdtempSync(join(process.argv[4] ?? tmpdir(), 'moorage-bench-'))
const source = join(folder, 'source')
const target = join(folder, 'target')

interface Run {
  readonly seconds: number
  /** Of both ends. */
  readonly cpuSeconds: number
}

function makeSource(): void {
  const file = openSync(source, 'w')
  for (let at = 0; at < size; at += MIB) writeSync(file, randomBytes(MIB))
  closeSync(file)
}

/** CPU seconds of all children that have ended. */
function childrenCpu(): number {
  const { stdout } = spawnSync('cat', [`/proc/${process.pid}/stat`], { encoding: 'latin1' })
  const fields = stdout.slice(stdout.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / 100
}

async function ended(child: ChildProcess, name: string): Promise<void> {
  if (child.exitCode === null) await once(child, 'exit')
  if (child.exitCode !== 0) throw new Error(`${name} exited with ${String(child.exitCode)}`)
}

async function timed(send: () => ChildProcess, receiver: ChildProcess): Promise<Run> {
  const cpu = childrenCpu()
  const start = performance.now()
  await Promise.all([ended(send(), 'the sender'), ended(receiver, 'the receiver')])
  const seconds = (performance.now() - start) / 1000
  return { seconds, cpuSeconds: childrenCpu() - cpu }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Whether somebody listens on the port, without connecting: nc takes only one connection. */
function listens(port: number): boolean {
  const { stdout } = spawnSync('cat', ['/proc/net/tcp'], { encoding: 'latin1' })
  return stdout.includes(`0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`)
}

async function nc(check: boolean): Promise<Run> {
  const port = await freePort()
  const [into, from] = check
    ? [
        `nc -l 127.0.0.1 ${port} | tee ${target} | sha256sum`,
        `tee >(sha256sum >&2) < ${source} | nc -N 127.0.0.1 ${port}`,
      ]
    : [`exec nc -l 127.0.0.1 ${port} > ${target}`, `exec nc -N 127.0.0.1 ${port} < ${source}`]
  const receiver = spawn('bash', ['-c', into], { stdio: 'ignore' })
  while (!listens(port)) await new Promise((resolve) => setImmediate(resolve))
  return timed(() => spawn('bash', ['-c', from], { stdio: 'ignore' }), receiver)
}

/** From the start of the sender’s process to the end of both, as for nc: so Node’s own start is in it. */
async function moorage(...options: readonly string[]): Promise<Run> {
  const into = join(folder, 'into')
  const sync = options.includes('--no-checksum') ? ['--no-sync'] : []
  const args = [CLI, 'receive', 'tcp://127.0.0.1:0', into, '--once', '--json', ...sync]
  const receiver = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const endpoint = await new Promise<string>((resolve) => {
    createInterface({ input: receiver.stderr }).on('line', (line) => {
      const { event, endpoint: found } = JSON.parse(line) as { readonly event?: string; readonly endpoint?: string }
      if (event === 'listening' && found !== undefined) resolve(found)
    })
  })
  const run = await timed(
    () => spawn(process.execPath, [CLI, 'send', source, endpoint, ...options], { stdio: 'ignore' }),
    receiver,
  )
  if (statSync(join(into, 'source')).size !== size) throw new Error('the file did not arrive')
  rmSync(into, { recursive: true })
  return run
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

const contenders: Readonly<Record<string, () => Promise<Run>>> = {
  nc: () => nc(false),
  'nc with sha256sum at both ends': () => nc(true),
  moorage: () => moorage(),
  'moorage --no-checksum, --no-sync': () => moorage('--no-checksum'),
}

async function main(): Promise<void> {
  makeSource()
  const runs = new Map<string, Run[]>(Object.keys(contenders).map((name) => [name, []]))
  for (let pair = 0; pair < pairs; pair += 1) {
    for (const [name, run] of Object.entries(contenders)) {
      runs.get(name)?.push(await run())
      rmSync(target, { force: true })
    }
  }
  const base = runs.get('nc') ?? []
  const checked = runs.get('nc with sha256sum at both ends') ?? []
  const ratio = (list: readonly Run[], to: readonly Run[]): string =>
    median(list.map(({ seconds }, i) => (to[i]?.seconds ?? NaN) / seconds)).toFixed(2)
  console.log(`${size / MIB} MiB, medians of ${pairs} interleaved runs; a ratio over 1 is faster`)
  for (const [name, list] of runs) {
    const seconds = median(list.map((run) => run.seconds))
    const cpu = median(list.map((run) => run.cpuSeconds))
    const rate = `${(size / MIB / seconds).toFixed(0)} MiB/s`
    console.log(
      `${name.padEnd(34)} ${seconds.toFixed(2)} s  ${rate.padStart(11)}  ${cpu.toFixed(2)} CPU s  ${ratio(list, base)} × nc  ${ratio(list, checked)} × nc with sha256sum`,
    )
  }
}

main()
  .finally(() => rmSync(folder, { recursive: true, force: true }))
  .catch((error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
