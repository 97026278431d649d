import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Resolved } from './allow-list.js'

export interface ProgramLimits {
  readonly timeLimitMs: number
  readonly outputLimitBytes: number
}

/** How a program ended; `why` where it was ended, or could not be started. */
export interface Outcome {
  readonly code: number | null
  readonly signal: string | null
  readonly why: string | undefined
  readonly outputBytes: number
}

export type TakeOutput = (stream: 'stdout' | 'stderr', bytes: Buffer) => Promise<void>

/**
 * Runs a program without a shell, and gives its output as it comes: while `take` waits, so does the program. It ends, with
 * all that it has started, at its limits, when `left` aborts, and when `take` rejects.
 */
export async function runProgram(
  { program, args }: Resolved,
  { timeLimitMs, outputLimitBytes }: ProgramLimits,
  left: AbortSignal,
  take: TakeOutput,
): Promise<Outcome> {
  const child = spawn(program, args, {
    shell: false,
    // A group of its own, so that what it starts ends with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/bin:/bin' },
  })
  let why: string | undefined
  let hasExited = false
  child.once('exit', () => (hasExited = true))
  const stop = (reason: string): void => {
    why ??= reason
    killGroup(child.pid)
    // What has left the group (setsid) lives on, and must not hold the client with the pipes that it inherited.
    child.stdout.destroy()
    child.stderr.destroy()
  }
  const timer = setTimeout(() => {
    const held = hasExited ? ': the program has ended, and something that it started holds its output' : ''
    stop(`the time limit of ${timeLimitMs} ms passed${held}`)
  }, timeLimitMs)
  const leave = (): void => stop('the client left')
  if (left.aborted) leave()
  left.addEventListener('abort', leave, { once: true })
  let outputBytes = 0
  const copy = async (stream: 'stdout' | 'stderr'): Promise<void> => {
    for await (const chunk of child[stream]) {
      const bytes = Buffer.from(chunk)
      outputBytes += bytes.length
      if (outputBytes > outputLimitBytes) {
        stop(`the output limit of ${outputLimitBytes} bytes passed`)
        return
      }
      await take(stream, bytes)
    }
  }
  const failed = once(child, 'error').then(([error]) => {
    why ??= `it could not be started: ${error instanceof Error ? error.message : String(error)}`
    return [null, null]
  })
  const exited = Promise.race([failed, once(child, 'exit').catch(() => failed)])
  await Promise.all([copy('stdout'), copy('stderr')]).catch(leave)
  const [code, signal] = await exited
  clearTimeout(timer)
  left.removeEventListener('abort', leave)
  return { code, signal, why, outputBytes }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
