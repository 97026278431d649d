import { spawn } from 'node:child_process'
import { createHash, timingSafeEqual } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { once } from 'node:events'
import { formatAddress, StreamHandler } from 'moorage'
import { resolveCommand, toConfig, type RemoteControlConfig, type Resolved } from './allow-list.js'

/** What a client asks for, a JSON object on the first line. */
interface Request {
  readonly token?: string
  readonly command: string
  readonly args: readonly string[]
}

const MAX_REQUEST_BYTES = 64 * 1024
const REQUEST_TIMEOUT_MS = 10_000
const DEFAULT_TIME_LIMIT_MS = 60_000
const DEFAULT_OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024

/**
 * Runs commands of an allow-list for clients with a token or a verified certificate, one a connection. Answers are
 * JSON objects, a line each: `{"stream":"stdout","data":"…base64…"}`, and last `{"exit":0}` or `{"error":"…"}`.
 */
export class RemoteControl extends StreamHandler {
  override async handle(): Promise<void> {
    const config = toConfig(this.server.data)
    const giveUp = setTimeout(() => this.connection.destroy(), REQUEST_TIMEOUT_MS)
    const line = await this.readLine({ keepEnd: false, maxLineBytes: MAX_REQUEST_BYTES }).finally(() =>
      clearTimeout(giveUp),
    )
    if (line === null) return
    const request = parseRequest(line)
    if (typeof request === 'string') {
      await this.#refuse(config, request, undefined)
      return
    }
    if (!this.#isKnown(config, request.token)) {
      await this.#refuse(config, 'neither a right token nor a verified client certificate', request)
      return
    }
    const resolved = resolveCommand(config, request.command, request.args)
    if (typeof resolved === 'string') await this.#refuse(config, resolved, request)
    else await this.#run(config, request, resolved)
  }

  #isKnown(config: RemoteControlConfig, token: string | undefined): boolean {
    const { tls } = this.connection
    if (tls?.peerCertificate !== undefined && tls.authorized) return true
    if (config.token === undefined || token === undefined) return false
    // Digests are of one length, and comparing them takes the same time wherever they differ.
    return timingSafeEqual(digest(token), digest(config.token))
  }

  async #run(config: RemoteControlConfig, request: Request, { program, args }: Resolved): Promise<void> {
    const { timeLimitMs = DEFAULT_TIME_LIMIT_MS, outputLimitBytes = DEFAULT_OUTPUT_LIMIT_BYTES } = config
    this.#audit(config, 'started', request, { program, args })
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
    void this.#clientLeft().then(() => stop('the client left'))
    let output = 0
    const copy = async (stream: 'stdout' | 'stderr'): Promise<void> => {
      for await (const chunk of child[stream]) {
        const bytes = Buffer.from(chunk)
        output += bytes.length
        if (output > outputLimitBytes) {
          stop(`the output limit of ${outputLimitBytes} bytes passed`)
          return
        }
        await this.#send({ stream, data: bytes.toString('base64') })
      }
    }
    const failed = once(child, 'error').then(([error]) => {
      why ??= `it could not be started: ${error instanceof Error ? error.message : String(error)}`
      return [null, null]
    })
    const exited = Promise.race([failed, once(child, 'exit').catch(() => failed)])
    await Promise.all([copy('stdout'), copy('stderr')]).catch(() => stop('the client left'))
    const [code, signal] = await exited
    clearTimeout(timer)
    this.#audit(config, 'ended', request, { code, signal, why, outputBytes: output })
    await this.#send(why === undefined ? { exit: code, signal } : { error: why })
  }

  /** Nothing more is expected of the client: that it ends, or is gone, is heard by reading only. */
  async #clientLeft(): Promise<void> {
    try {
      while ((await this.read()) !== null) continue
    } catch {
      // It is gone.
    }
  }

  async #refuse(config: RemoteControlConfig, why: string, request: Request | undefined): Promise<void> {
    this.#audit(config, 'refused', request, { why })
    await this.#send({ error: why })
  }

  #send(message: object): Promise<void> {
    return this.write(`${JSON.stringify(message)}\n`)
  }

  /** Who, what, when, and how it went; never the token. */
  #audit(config: RemoteControlConfig, event: string, request: Request | undefined, details: object): void {
    const { command, args } = request ?? {}
    const who = this.connection.tls?.peerCertificate?.subject
    const entry = {
      at: new Date().toISOString(),
      event,
      remote: formatAddress(this.remote),
      who,
      command,
      args,
      ...details,
    }
    appendFileSync(config.auditLog, `${JSON.stringify(entry)}\n`, { mode: 0o600 })
  }
}

function parseRequest(line: string): Request | string {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    return 'the request is not JSON; send {"token":"…","command":"uptime","args":[]}'
  }
  if (typeof parsed !== 'object' || parsed === null || !('command' in parsed) || typeof parsed.command !== 'string') {
    return 'the request names no command; send {"token":"…","command":"uptime","args":[]}'
  }
  const args: unknown = 'args' in parsed ? parsed.args : []
  if (!Array.isArray(args) || !args.every((argument) => typeof argument === 'string'))
    return 'args must be a list of strings'
  const token = 'token' in parsed && typeof parsed.token === 'string' ? parsed.token : undefined
  return { command: parsed.command, args, ...(token === undefined ? {} : { token }) }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
