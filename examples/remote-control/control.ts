import { createHash, timingSafeEqual } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { TlsInfo } from 'moorage'
import { resolveCommand, type RemoteControlConfig } from './allow-list.js'
import { runProgram } from './program.js'

/** What a client asks for. */
export interface Request {
  readonly token?: string
  readonly command: string
  readonly args: readonly string[]
}

/** What it is told: output as it comes, in base64, and last how the program ended, or what is wrong. */
export type Answer =
  | { readonly stream: 'stdout' | 'stderr'; readonly data: string }
  | { readonly exit: number | null; readonly signal: string | null }
  | { readonly error: string }

/** Who asks, whatever connects them. */
export interface Caller {
  readonly remote: string
  readonly tls: TlsInfo | undefined
  /** Aborts when the caller is gone, or wants no more: its program ends with it. */
  readonly left: AbortSignal
  /** Waits while the caller reads slowly. */
  send(answer: Answer): Promise<void>
}

export const MAX_REQUEST_BYTES = 64 * 1024
export const REQUEST_TIMEOUT_MS = 10_000
const DEFAULT_TIME_LIMIT_MS = 60_000
const DEFAULT_OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024
/** Whoever guesses tokens waits for each guess, in one of a few connections. */
const REFUSAL_DELAY_MS = 1000

/** Who may ask, what is run and what is noted: the same over TCP and over a WebSocket. */
export class Control {
  readonly #config: RemoteControlConfig
  readonly #caller: Caller

  constructor(config: RemoteControlConfig, caller: Caller) {
    this.#config = config
    this.#caller = caller
  }

  /** Whether the caller is known; one who is not is told so, later. */
  async admit(token: string | undefined, request?: Request): Promise<boolean> {
    if (this.#isKnown(token)) return true
    const why = 'neither a right token nor a verified client certificate'
    this.#audit('refused', request, { why })
    await pause(REFUSAL_DELAY_MS, undefined, { signal: this.#caller.left }).catch(() => undefined)
    await this.#caller.send({ error: why })
    return false
  }

  #isKnown(token: string | undefined): boolean {
    const { tls } = this.#caller
    if (tls?.peerCertificate !== undefined && tls.authorized) return true
    if (this.#config.token === undefined || token === undefined) return false
    // Digests are of one length, and comparing them takes the same time wherever they differ.
    return timingSafeEqual(digest(token), digest(this.#config.token))
  }

  /** Runs what is on the list, for a caller who was admitted. Resolves when the last answer is sent. */
  async run(request: Request): Promise<void> {
    const resolved = resolveCommand(this.#config, request.command, request.args)
    if (typeof resolved === 'string') {
      await this.refuse(resolved, request)
      return
    }
    const { timeLimitMs = DEFAULT_TIME_LIMIT_MS, outputLimitBytes = DEFAULT_OUTPUT_LIMIT_BYTES } = this.#config
    const { left } = this.#caller
    this.#audit('started', request, resolved)
    const outcome = await runProgram(resolved, { timeLimitMs, outputLimitBytes }, left, (stream, bytes) =>
      this.#caller.send({ stream, data: bytes.toString('base64') }),
    )
    this.#audit('ended', request, outcome)
    const { code, signal, why } = outcome
    await this.#caller.send(why === undefined ? { exit: code, signal } : { error: why })
  }

  async refuse(why: string, request?: Request): Promise<void> {
    this.#audit('refused', request, { why })
    await this.#caller.send({ error: why })
  }

  /** Who, what, when, and how it went; never the token. */
  #audit(event: string, request: Request | undefined, details: object): void {
    const { command, args } = request ?? {}
    const { remote, tls } = this.#caller
    const who = tls?.peerCertificate?.subject
    const entry = { at: new Date().toISOString(), event, remote, who, command, args, ...details }
    appendFileSync(this.#config.auditLog, `${JSON.stringify(entry)}\n`, { mode: 0o600 })
  }
}

/** What a client asks for, or what is wrong with it. */
export function parseRequest(line: string): Request | string {
  const parsed = parseObject(line)
  if (parsed === undefined) return 'the request is not JSON; send {"token":"…","command":"uptime","args":[]}'
  const { command, args = [], token } = parsed
  if (typeof command !== 'string')
    return 'the request names no command; send {"token":"…","command":"uptime","args":[]}'
  if (!Array.isArray(args) || !args.every((argument) => typeof argument === 'string'))
    return 'args must be a list of strings'
  return { command, args, ...(typeof token === 'string' ? { token } : {}) }
}

/** `undefined` for what is no object in JSON. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return isRecord(parsed) ? parsed : undefined
  } catch {
    // Told by whoever asked.
    return undefined
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
