import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { until, within } from '#src/testing/contract-row.js'

export const main: string = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** What its descriptor 3 is. */
  readonly third?: number
  readonly cwd?: string
}

/** A program that a test started, with what it has said so far. */
export class Program {
  readonly child: ChildProcess
  readonly #ended: Promise<unknown>
  out = ''
  err = ''

  constructor(command: string, args: readonly string[], { env, third, cwd }: RunOptions = {}) {
    const stdio: StdioOptions = third === undefined ? ['pipe', 'pipe', 'pipe'] : ['pipe', 'pipe', 'pipe', third]
    this.child = spawn(command, args, { stdio, env: { ...process.env, ...env }, ...(cwd === undefined ? {} : { cwd }) })
    this.#ended = once(this.child, 'close')
    this.#stream('stdout').on('data', (chunk: Buffer) => (this.out += chunk.toString('latin1')))
    this.#stream('stderr').on('data', (chunk: Buffer) => (this.err += chunk.toString('latin1')))
    // A program that has ended does not read: the test looks at its exit code.
    this.input.on('error', () => undefined)
  }

  #stream(name: 'stdout' | 'stderr'): Readable {
    const stream = this.child[name]
    if (stream === null) throw new Error(`${name} is no pipe`)
    return stream
  }

  get input(): Writable {
    if (this.child.stdin === null) throw new Error('stdin is no pipe')
    return this.child.stdin
  }

  /** Waits until it has said so, on either stream. */
  async says(what: string | RegExp): Promise<string> {
    const found = (): RegExpExecArray | null =>
      typeof what === 'string' ? (this.#hasSaid(what) ? /^/.exec('') : null) : what.exec(`${this.out}\n${this.err}`)
    await until(
      `${this.child.spawnargs.join(' ')} to say ${what}; it said ${this.out}${this.err}`,
      () => found() !== null,
    )
    return found()?.[1] ?? ''
  }

  #hasSaid(text: string): boolean {
    return this.out.includes(text) || this.err.includes(text)
  }

  /** The endpoint after "listening on". */
  listening(): Promise<string> {
    return this.says(/listening on (\S+)/)
  }

  /** Its exit code, when it has ended by itself and all it said is there. */
  async ends(): Promise<number | null> {
    await within(`the end of ${this.child.spawnargs.join(' ')}`, this.#ended)
    return this.child.exitCode
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL')
    await this.ends()
  }
}

const started: Program[] = []

export function moorage(args: readonly string[], options?: RunOptions): Program {
  return start(process.execPath, [main, ...args], options)
}

export function start(command: string, args: readonly string[], options?: RunOptions): Program {
  const program = new Program(command, args, options)
  started.push(program)
  return program
}

/** Ends what a test has left running: call it after each test. */
export async function stopAll(): Promise<void> {
  await Promise.all(started.splice(0).map((program) => program.stop()))
}

/** The reason to skip a test that needs programs which are not there, or false. */
export function missing(...programs: readonly string[]): string | false {
  const gone = programs.filter((program) => spawnSync('which', [program]).status !== 0)
  return gone.length === 0 ? false : `${gone.join(' and ')} cannot be found here`
}

export const portOf = (endpoint: string): string => /:(\d+)$/.exec(endpoint)?.[1] ?? ''
