import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'

const CLI = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

/** A line of `--json`. */
export type Line = Readonly<Record<string, unknown>>

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface MoorageOptions {
  readonly ulimitBlocks?: number
  /** Where it keeps the certificate that it makes. */
  readonly home?: string
}

/** The command in a process of its own, with what it says as it comes. */
export class Moorage {
  readonly #child: ChildProcess
  readonly #lines: Line[] = []
  readonly #waiting = new Set<() => void>()
  readonly exited: Promise<Exit>

  constructor(context: TestContext, args: readonly string[], { ulimitBlocks, home }: MoorageOptions = {}) {
    const line = [process.execPath, CLI, ...args, '--json']
    // 512 bytes each, as POSIX has it; bash counts by 1024 when it is not sh.
    const limited = ['-c', `ulimit -f ${ulimitBlocks ?? 0}; exec "$@"`, 'sh', ...line]
    const [command, ...rest] = ulimitBlocks === undefined ? line : ['sh', ...limited]
    const env = home === undefined ? process.env : { ...process.env, HOME: home, XDG_STATE_HOME: home }
    this.#child = spawn(command ?? '', rest, { stdio: ['ignore', 'ignore', 'pipe'], env })
    const { stderr } = this.#child
    if (stderr === null) throw new Error('no stderr')
    createInterface({ input: stderr }).on('line', (text) => {
      this.#lines.push(text.startsWith('{') ? (JSON.parse(text) as Line) : { text })
      for (const wake of this.#waiting) wake()
    })
    this.exited = once(this.#child, 'close').then(([code, signal]: unknown[]) => {
      for (const wake of this.#waiting) wake()
      return { code, signal } as Exit
    })
    context.after(() => this.#child.kill('SIGKILL'))
  }

  get lines(): readonly Line[] {
    return this.#lines
  }

  get isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** The first line with this event after so many others of it. */
  async event(name: string, after = 0): Promise<Line> {
    for (;;) {
      const found = this.#lines.filter(({ event }) => event === name)[after]
      if (found !== undefined) return found
      if (this.isGone) throw new Error(`it ended without "${name}": ${JSON.stringify(this.#lines)}`)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
      })
    }
  }
}
