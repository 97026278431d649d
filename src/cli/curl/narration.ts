import { appendFileSync, writeFileSync } from 'node:fs'
import { messageOf } from '../../base/index.js'
import type { ClientResponse } from '../../client/index.js'
import type { CurlLine } from './curl-line.js'
import { curlExitOf } from './exit-codes.js'

/** What is told beside the body: heads with --verbose, and errors. */
export class Narration {
  readonly #isVerbose: boolean
  readonly #tellsErrors: boolean
  readonly #isSilent: boolean
  readonly #file: string | undefined

  constructor(line: CurlLine) {
    this.#isVerbose = line.has('verbose')
    this.#tellsErrors = !line.has('silent') || line.has('show-error')
    this.#isSilent = line.has('silent')
    this.#file = fileOf(line.text('stderr'))
  }

  sent(head: string): void {
    if (this.#isVerbose) this.say(`${marked('>', head)}\n> \n`)
  }

  answered(response: ClientResponse): void {
    if (!this.#isVerbose) return
    const { connection } = response
    if (connection !== undefined) {
      const { remote, tls } = connection
      const place = 'host' in remote ? `${remote.host} port ${remote.port}` : JSON.stringify(remote)
      this.say(`* Connected to ${place}${tls === undefined ? '' : `, ${tls.version}, ${tls.cipher}`}\n`)
    }
    this.say(`${marked('<', formatRawHead(response))}\n< \n`)
  }

  informed(head: RawHead): void {
    if (this.#isVerbose) this.say(`${marked('<', formatRawHead(head))}\n< \n`)
  }

  note(text: string): void {
    if (this.#isVerbose) this.say(`* ${text}\n`)
  }

  failed(error: unknown, message: string): void {
    if (this.#tellsErrors) this.say(`moorage: (${curlExitOf(error) ?? 1}) ${message}\n`)
  }

  /** What was passed over, and is no error. */
  warn(text: string): void {
    if (!this.#isSilent) this.say(`moorage: warning: ${text}\n`)
  }

  say(text: string): void {
    if (this.#file === undefined) process.stderr.write(text)
    else if (this.#file === '-') process.stdout.write(text)
    else appendFileSync(this.#file, text)
  }
}

/** A file of --stderr that cannot be written leaves stderr as it is. */
function fileOf(path: string | undefined): string | undefined {
  if (path === undefined || path === '-') return path
  try {
    writeFileSync(path, '')
    return path
  } catch (error) {
    process.stderr.write(`moorage: warning: --stderr stays as it is: ${messageOf(error)}\n`)
    return undefined
  }
}

/** Of a response, or of one that came before it. */
export interface RawHead {
  readonly status: number
  readonly reason: string
  readonly httpVersion: string
  readonly headers: Iterable<readonly [name: string, value: string]>
}

/** As it came: bytes above ASCII are written as they were. */
export function formatRawHead({ status, reason, httpVersion, headers }: RawHead): string {
  const first = `HTTP/${httpVersion} ${status} ${httpVersion === '2' ? '' : reason}`
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`)
  return `${[first, ...lines].join('\r\n')}\r\n\r\n`
}

const marked = (mark: string, head: string): string =>
  head
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => `${mark} ${line}`)
    .join('\n')
