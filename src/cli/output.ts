import { styleText } from 'node:util'
import { errorCodeOf, messageOf } from '../base/index.js'
import type { LogFields, Logger } from '../base/index.js'

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan'

export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
}

/**
 * What a command says. Words for people go to stderr, so that stdout carries data; with `--json` each is one object a
 * line. Colour only on a terminal, and never under NO_COLOR (no-color.org).
 */
export class Output {
  readonly #options: OutputOptions
  readonly #colour: boolean

  constructor(options: OutputOptions) {
    this.#options = options
    this.#colour = process.stderr.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb'
  }

  get json(): boolean {
    return this.#options.json
  }

  get quiet(): boolean {
    return this.#options.quiet
  }

  get verbose(): boolean {
    return this.#options.verbose
  }

  /** Whether there is a terminal to draw a progress bar on. */
  get interactive(): boolean {
    return process.stderr.isTTY && process.env['TERM'] !== 'dumb' && !this.#options.json && !this.#options.quiet
  }

  style(style: Style, text: string): string {
    // What Node would look at is stdout, which may be a file while the words go to a terminal.
    return this.#colour ? styleText(style, text, { validateStream: false }) : text
  }

  /** What the user waits for: kept under --quiet. */
  say(text: string, fields: LogFields = {}): void {
    this.#line('info', text, fields)
  }

  note(text: string, fields: LogFields = {}): void {
    if (!this.#options.quiet) this.#line('info', text, fields)
  }

  detail(text: string, fields: LogFields = {}): void {
    if (this.#options.verbose) this.#line('debug', text, fields)
  }

  warn(text: string, fields: LogFields = {}): void {
    this.#line('warn', text, fields)
  }

  /** An error in one line, and never a stack; `--verbose` adds the causes. */
  error(error: unknown): void {
    const code = errorCodeOf(error)
    this.#line('error', messageOf(error), code === undefined ? {} : { code })
    if (!this.#options.verbose) return
    for (let cause = causeOf(error); cause !== undefined; cause = causeOf(cause))
      this.#line('debug', `because: ${messageOf(cause)}`, {})
  }

  /** A logger for servers: warnings and errors, and more under --verbose. */
  get logger(): Logger {
    return {
      debug: (message, fields) => this.detail(describe(message, fields), fields),
      info: (message, fields) => this.note(describe(message, fields), fields),
      warn: (message, fields) => this.warn(describe(message, fields), fields),
      error: (message, fields) => this.warn(describe(message, fields), fields),
    }
  }

  #line(level: 'debug' | 'info' | 'warn' | 'error', text: string, fields: LogFields): void {
    if (this.#options.json) {
      process.stderr.write(`${JSON.stringify({ level, message: text, ...plain(fields) })}\n`)
      return
    }
    const prefix =
      level === 'error' ? this.style('red', 'moorage: ') : level === 'warn' ? this.style('yellow', 'moorage: ') : ''
    process.stderr.write(`${prefix}${level === 'debug' ? this.style('dim', text) : text}\n`)
  }
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined)

const plain = (fields: LogFields): LogFields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? messageOf(value) : value]),
  )

function describe(message: string, fields: LogFields = {}): string {
  const shown = Object.entries(plain(fields)).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return shown.length === 0 ? message : `${message} (${shown.join(', ')})`
}
