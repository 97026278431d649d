import { basename } from 'node:path'
import { messageOf } from '../../base/index.js'
import { ACCEPT_ENCODING, type ClientResponse } from '../../client/index.js'
import { Output } from '../output.js'
import { ProgressLine } from '../progress.js'
import type { CurlCookies } from './curl-cookies.js'
import type { CurlLine, GivenFlag } from './curl-line.js'
import { parseCurlUrl } from './curl-url.js'
import { Destination, nameOfServer, plannedPath, toStdout } from './destination.js'
import type { EtagFile } from './etag-file.js'
import { CURL_EXIT, CurlFailure, curlExitOf } from './exit-codes.js'
import { demandLength, type GivenContent } from './given-content.js'
import type { HeadFile } from './head-file.js'
import { toFieldBytes } from './header-lines.js'
import { formatRawHead, type Narration } from './narration.js'
import type { Network } from './network.js'
import { demandAllowed } from './protocols.js'
import { proxyOf } from './proxy-choice.js'
import { percentEncode } from './percent-encoding.js'
import { contentOf } from './request-body.js'
import { continuationOf, offsetOf, rangeOf } from './resumption.js'
import type { Ending } from './retry-rules.js'
import { Tally } from './tally.js'
import { timeConditionOf } from './time-condition.js'
import { transfer, type Answer } from './transfer.js'
import { formatWriteOut } from './write-out.js'

/** What all URLs of a command line share. */
export interface Common {
  readonly line: CurlLine
  readonly content: GivenContent
  readonly network: Network
  readonly cookies: CurlCookies
  readonly narration: Narration
  readonly headFile: HeadFile
  readonly etagFile: EtagFile
  readonly signal: AbortSignal
}

/** One URL, with the file that belongs to it. */
export interface Job {
  readonly text: string
  readonly number: number
  readonly output: GivenFlag | undefined
  readonly upload: string | undefined
}

/** What one try of a URL has come to. */
class Try {
  readonly began = performance.now()
  readonly heads: string[] = []
  answer: Answer | undefined
  readonly tally = new Tally()
  downloaded = 0
  method = 'GET'

  get response(): ClientResponse | undefined {
    return this.answer?.response
  }
}

/** One URL, over all of its tries. It never throws for what went wrong: that is told, and is the exit code. */
export class UrlRun {
  readonly #common: Common
  readonly #job: Job
  #try = new Try()
  #destination: Destination | undefined
  /** Bytes that were there before the first try, behind which --continue-at goes on. */
  #from = 0

  constructor(common: Common, job: Job) {
    this.#common = common
    this.#job = job
  }

  /** Once more where there was a try: what that one has written is taken back. */
  async run(): Promise<Ending> {
    this.#try = new Try()
    let error: unknown
    try {
      await this.#destination?.takeBack()
      await this.#get()
    } catch (thrown) {
      if (curlExitOf(thrown) === undefined || this.#common.signal.aborted) throw thrown
      error = thrown
    }
    const exit = error === undefined ? CURL_EXIT.ok : (curlExitOf(error) ?? 1)
    if (error !== undefined) this.#common.narration.failed(error, messageOf(error))
    const { response } = this.#try
    return { exit, error, status: response?.status, retryAfter: response?.headers.get('retry-after') }
  }

  async #get(): Promise<void> {
    const { line, content, network, cookies, narration, headFile, etagFile, signal } = this.#common
    const { text, output, upload } = this.#job
    headFile.begin()
    etagFile.begin()
    const { body, query } = await contentOf(line, content, upload)
    const parsed = parseCurlUrl(withUploadName(text, upload), {
      asIs: line.has('path-as-is'),
      query: query === undefined ? content.query : [...content.query, query],
    })
    demandAllowed(line, parsed, false)
    if (this.#destination === undefined) this.#plan(plannedPath(line, output, parsed))
    demandLength(content.lines, body.length)
    const method = line.text('request') ?? (line.has('head') ? 'HEAD' : body.method)
    this.#try.method = method
    const maxTime = line.seconds('max-time') ?? 0
    const parts = {
      line,
      network,
      cookies,
      narration,
      signal,
      tally: this.#try.tally,
      lines: content.lines,
      proxyLines: content.proxyLines,
      deadline: maxTime > 0 ? this.#try.began + maxTime : Infinity,
      range: rangeOf(line, body, this.#from),
      condition: timeConditionOf(line.text('time-cond')),
      userAgent: toFieldBytes(line.text('user-agent') ?? 'moorage'),
      acceptEncoding: line.has('compressed') ? ACCEPT_ENCODING : undefined,
    }
    const answer = await transfer(parts, { url: parsed, method, body }, (head) =>
      this.#try.heads.push(formatRawHead(head)),
    )
    this.#try.answer = answer
    this.#try.method = answer.method
    await this.#receive(answer.response, body.kind === 'none' && !line.has('head') ? this.#from : 0)
  }

  /** What the first try finds counts for all. */
  #plan(path: string | undefined): void {
    const { line } = this.#common
    this.#from = offsetOf(line, path)
    this.#destination = new Destination(line, path, this.#from > 0)
  }

  async #receive(response: ClientResponse, from: number): Promise<void> {
    const { line, headFile, etagFile } = this.#common
    const { heads } = this.#try
    const destination = this.#destination
    if (destination === undefined) return
    const isFailed = response.status >= 400
    await headFile.add(heads.join(''))
    const continuation = from > 0 ? continuationOf(response, from) : 'append'
    if (isFailed && continuation !== 'done' && line.has('fail') && !line.has('fail-with-body')) {
      response.discard()
      throw statusFailure(response)
    }
    if (!isFailed) etagFile.save(response)
    const named = line.has('remote-header-name') && this.#isNamedByUrl ? nameOfServer(response) : undefined
    if (named !== undefined) destination.rename(named)
    if (line.has('include') || line.has('head'))
      for (const head of heads) await destination.write(Buffer.from(head, 'latin1'))
    if (continuation === 'done') response.discard()
    else await this.#save(response, destination, continuation === 'refuse')
    if (isFailed && continuation !== 'done' && line.has('fail-with-body')) throw statusFailure(response)
    await destination.finish()
  }

  get #changedAt(): Date | undefined {
    const ms = Date.parse(this.#try.response?.headers.get('last-modified') ?? '')
    return Number.isNaN(ms) ? undefined : new Date(ms)
  }

  get #isNamedByUrl(): boolean {
    return this.#job.output === undefined || this.#job.output.name === 'remote-name'
  }

  /** A body of no bytes is refused by nobody. */
  async #save(response: ClientResponse, destination: Destination, isRefused: boolean): Promise<void> {
    const { line } = this.#common
    const current = this.#try
    const isQuiet = line.has('silent') || line.has('no-progress-meter') || destination.path === undefined
    const progress = new ProgressLine(new Output({ json: false, quiet: isQuiet, verbose: false }))
    const size = Number(response.headers.get('content-length') ?? 0)
    try {
      for await (const bytes of response) {
        if (isRefused && bytes.length > 0) {
          response.discard()
          throw new CurlFailure(
            'range',
            `Cannot go on behind ${this.#from} bytes: the server sends something else (${response.status})`,
          )
        }
        current.downloaded += bytes.length
        await destination.write(bytes)
        const totalBytes = current.downloaded
        progress.update({
          name: basename(destination.path ?? ''),
          bytes: totalBytes,
          size: Math.max(size, totalBytes),
          totalBytes,
          totalSize: Math.max(size, totalBytes),
          transferredBytes: totalBytes,
          bytesPerSecond: totalBytes / Math.max((performance.now() - current.began) / 1000, 0.001),
        })
      }
    } finally {
      progress.clear()
    }
  }

  /** When the last try is over: closes its file, and prints --write-out. */
  async end({ exit, error }: Ending): Promise<void> {
    const { line, content, narration } = this.#common
    await this.#destination?.close(line.has('remote-time') && exit === CURL_EXIT.ok ? this.#changedAt : undefined)
    const { format } = content
    if (format === undefined) return
    const { answer, response, tally, heads, began, method } = this.#try
    const pieces = formatWriteOut(format, {
      answer,
      response,
      givenUrl: this.#job.text,
      urlNumber: this.#job.number,
      method,
      exit,
      error: error === undefined ? undefined : messageOf(error),
      path: this.#destination?.path,
      tally,
      downloaded: response?.receivedBytes ?? 0,
      totalMs: performance.now() - began,
      headerBytes: heads.reduce((sum, head) => sum + head.length, 0),
      proxyUsed: answer !== undefined && proxyOf(line, answer.url) !== undefined,
    })
    for (const [to, text] of pieces) {
      if (to === 'stdout') await toStdout(text)
      else narration.say(text)
    }
  }
}

const statusFailure = ({ status }: ClientResponse): CurlFailure =>
  new CurlFailure('status', `The server answered ${status}`)

/** A URL whose path ends with a slash gets the name of the file that is uploaded. */
function withUploadName(text: string, upload: string | undefined): string {
  if (upload === undefined || upload === '-' || upload === '.') return text
  const [, before = '', behind = ''] = /^([^?#]*)(.*)$/s.exec(text) ?? []
  const isBare = /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/]*$/i.test(before)
  if (!before.endsWith('/') && !isBare) return text
  return `${before.replace(/\/$/, '')}/${percentEncode(basename(upload), /[^\w.~-]/gu)}${behind}`
}
