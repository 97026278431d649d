import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { BrokenError, messageOf, NetError } from '../base/index.js'
import type { Message, WebSocketReport } from '../websocket/index.js'
import { HexDump } from './hex-dump.js'
import type { Output } from './output.js'

/** What both ends of a WebSocket have. */
export interface Talker extends AsyncIterable<Message> {
  readonly closed: Promise<WebSocketReport>
  send(message: Message): Promise<boolean>
  ping(): Promise<number>
  close(code?: number, reason?: string): Promise<WebSocketReport>
}

export interface TalkOptions {
  /** Bytes as they come, in place of lines of text. */
  readonly binary: boolean | undefined
  readonly hex: boolean | undefined
  readonly ping: number | undefined
}

/** Whatever a message is, as the standard output gets it: a text as a line of its own, bytes as they are. */
const shown = (message: Message, binary: boolean | undefined): string | Uint8Array =>
  typeof message === 'string' && binary !== true ? `${message}\n` : message

/** Lines of an input as texts, or what one read of it gives as bytes. */
export async function* messagesOf(
  input: Readable,
  binary: boolean | undefined,
): AsyncGenerator<Message, void, undefined> {
  if (binary === true) {
    for await (const chunk of input) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    return
  }
  const lines = createInterface({ input, crlfDelay: Infinity })
  // Its own iterator loses lines that come while nobody waits for the next.
  const waiting: string[] = []
  let wake: (() => void) | undefined
  const state = { ended: false }
  lines.on('line', (line) => {
    waiting.push(line)
    if (waiting.length >= MAX_WAITING) lines.pause()
    wake?.()
  })
  lines.once('close', () => {
    state.ended = true
    wake?.()
  })
  try {
    while (!state.ended || waiting.length > 0) {
      const line = waiting.shift()
      if (line !== undefined) yield line
      else {
        if (!state.ended) lines.resume()
        await new Promise<void>((resolve) => (wake = resolve))
      }
    }
  } finally {
    lines.close()
  }
}

const MAX_WAITING = 1000

export interface Dumps {
  readonly out: (message: Message) => void
  readonly in: (message: Message) => void
}

export function dumps(hex: boolean | undefined): Dumps {
  if (hex !== true) return { out: () => undefined, in: () => undefined }
  const write = (text: string): void => void process.stderr.write(text)
  const [out, into] = [new HexDump('>', write), new HexDump('<', write)]
  return { out: (message) => out.dump(Buffer.from(message)), in: (message) => into.dump(Buffer.from(message)) }
}

/** Copies what comes to the standard output, at its pace. */
export async function print(talker: Talker, { binary }: TalkOptions, dump: Dumps): Promise<void> {
  for await (const message of talker) {
    dump.in(message)
    if (!process.stdout.write(shown(message, binary))) await once(process.stdout, 'drain')
  }
}

/** Sends the input, prints what comes, and closes with 1000 behind the end of the input. */
export async function talk(talker: Talker, input: Readable, options: TalkOptions): Promise<WebSocketReport> {
  const dump = dumps(options.hex)
  const stop = keepPinging(talker, options.ping)
  const sending = (async () => {
    for await (const message of messagesOf(input, options.binary)) {
      dump.out(message)
      if (!(await talker.send(message))) return
    }
    await talker.close()
  })()
  try {
    await Promise.race([Promise.all([print(talker, options, dump), sending]), talker.closed])
    await print(talker, options, dump)
    return await talker.closed
  } finally {
    stop()
    input.destroy()
  }
}

export function keepPinging(talker: Talker, everyMs: number | undefined): () => void {
  if (everyMs === undefined) return () => undefined
  let isUnderWay = false
  const timer = setInterval(() => {
    if (isUnderWay) return
    isUnderWay = true
    talker.ping().then(
      (ms) => {
        isUnderWay = false
        process.stderr.write(`pong after ${ms.toFixed(1)} ms\n`)
      },
      () => undefined,
    )
  }, everyMs)
  return () => clearInterval(timer)
}

/**
 * A conversation on a terminal: a prompt for what is typed, and what comes above it. `/ping` measures the way, `/close`
 * says goodbye; a line that begins with two slashes is sent with one.
 */
export async function converse(talker: Talker, output: Output, options: TalkOptions): Promise<WebSocketReport> {
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: output.style('cyan', '> ') })
  let isOver = false
  // Newer Node refuses a prompt behind the end.
  const prompt = (keepsCursor: boolean): void => {
    if (!isOver) lines.prompt(keepsCursor)
  }
  const above = (text: string): void => {
    // The line that is being typed is drawn anew below.
    process.stderr.write('\r\u001b[K')
    process.stdout.write(`${text}\n`)
    prompt(true)
  }
  const stop = keepPinging(talker, options.ping)
  let hasLeft = false
  lines.on('line', (line) => {
    if (/^\/close\b/.test(line)) hasLeft = true
    void typed(talker, line, above).then(() => prompt(false))
  })
  lines.once('close', () => {
    isOver = true
    void talker.close()
  })
  lines.once('SIGINT', () => lines.close())
  prompt(false)
  for await (const message of talker)
    above(
      typeof message === 'string'
        ? `${output.style('green', '<')} ${readable(message)}`
        : `${output.style('green', '<')} ${output.style('dim', `${message.length} bytes`)} ${hexOf(message)}`,
    )
  stop()
  const report = await talker.closed
  process.stderr.write('\r\u001b[K')
  lines.close()
  process.stdin.destroy()
  // The code is the echo of this side's own.
  return hasLeft && report.wasClean ? { ...report, code: 1000 } : report
}

async function typed(talker: Talker, line: string, above: (text: string) => void): Promise<void> {
  const [, command, rest = ''] = /^\/(ping|close)(?:\s+(.*))?$/.exec(line) ?? []
  try {
    if (command === 'ping') above(`pong after ${(await talker.ping()).toFixed(1)} ms`)
    else if (command === 'close') {
      const [, code, reason = ''] = /^(\d+)?\s*(.*)$/.exec(rest) ?? []
      await talker.close(code === undefined ? undefined : Number(code), reason)
    } else await talker.send(line.startsWith('//') ? line.slice(1) : line)
  } catch (error) {
    above(messageOf(error))
  }
}

/** Control characters of a peer are not for this terminal. */
// oxlint-disable-next-line no-control-regex -- control characters are what is replaced
const readable = (text: string): string => text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?')

const hexOf = (bytes: Uint8Array): string =>
  `${Buffer.from(bytes.subarray(0, 32))
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1 ')}${bytes.length > 32 ? ' …' : ''}`

/** A shell command of its own for a WebSocket: each message is a line of its input, and each line of its output a message. */
export async function execTalk(
  talker: Talker,
  command: string,
  env: Readonly<Record<string, string>>,
  options: TalkOptions,
): Promise<number> {
  const child = spawn(command, { shell: true, stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  const exited = once(child, 'exit')
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (cause) =>
      reject(new NetError('ERR_SOCKET', `Cannot run ${command}: ${cause.message}`, { cause })),
    )
  })
  // A program that does not read its input, or ends before it has, is its own business.
  child.stdin.on('error', () => undefined)
  const dump = dumps(options.hex)
  const feeding = (async () => {
    for await (const message of talker) {
      dump.in(message)
      if (!child.stdin.write(shown(message, options.binary))) await Promise.race([once(child.stdin, 'drain'), exited])
    }
    child.stdin.end()
  })()
  void talker.closed.then(() => child.kill('SIGHUP'))
  const answering = (async () => {
    for await (const message of messagesOf(child.stdout, options.binary)) {
      dump.out(message)
      if (!(await talker.send(message))) break
    }
  })()
  await Promise.race([answering, failed])
  const [code] = await exited
  await talker.close()
  await feeding
  return typeof code === 'number' ? code : 1
}

/** @throws BrokenError when it did not end in order. */
export function checkEnd({ code, reason, error }: WebSocketReport, output: Output): void {
  const said = reason === '' ? '' : `: ${readable(reason)}`
  output.detail(`closed with ${code}${said}`, { event: 'closed', code, reason })
  if (error !== undefined) throw error
  if (code === 1000 || code === 1001 || code === 1005) return
  throw new BrokenError('ERR_PEER_GONE', `The peer closed the WebSocket with ${code}${said}`)
}
