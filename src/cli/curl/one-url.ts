import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { messageOf, type AbortSignalLike } from '../../base/index.js'
import { ACCEPT_ENCODING, type ClientResponse } from '../../client/index.js'
import { Output } from '../output.js'
import { ProgressLine } from '../progress.js'
import type { CurlCookies } from './curl-cookies.js'
import type { CurlLine, GivenFlag } from './curl-line.js'
import { parseCurlUrl } from './curl-url.js'
import { nameOfServer, offsetOf, openDestination, plannedPath, toStdout, type Destination } from './destination.js'
import { CURL_EXIT, CurlFailure, curlExitOf } from './exit-codes.js'
import { parseHeaderLines, toFieldBytes, type HeaderLine } from './header-lines.js'
import { formatRawHead, type Narration } from './narration.js'
import type { Network } from './network.js'
import { encodeData } from './post-data.js'
import { proxyOf } from './proxy-choice.js'
import { contentOf } from './request-body.js'
import type { Ending } from './retry-rules.js'
import { timeConditionOf } from './time-condition.js'
import { transfer, type Answer } from './transfer.js'
import { formatWriteOut } from './write-out.js'

/** What all URLs of a command line share. */
export interface Common {
  readonly line: CurlLine
  readonly network: Network
  readonly cookies: CurlCookies
  readonly narration: Narration
  readonly signal: AbortSignalLike
}

/** One URL, with the file that belongs to it. */
export interface Job {
  readonly text: string
  readonly number: number
  readonly output: GivenFlag | undefined
  readonly upload: string | undefined
}

/** One try of one URL. It never throws for what went wrong: that is told, and is the exit code. */
export class UrlRun {
  readonly #common: Common
  readonly #job: Job
  readonly #began = performance.now()
  readonly #heads: string[] = []
  #answer: Answer | undefined
  #response: ClientResponse | undefined
  #destination: Destination | undefined
  #downloaded = 0
  #method = 'GET'

  constructor(common: Common, job: Job) {
    this.#common = common
    this.#job = job
  }

  async run(): Promise<Ending> {
    let error: unknown
    try {
      await this.#get()
    } catch (thrown) {
      if (curlExitOf(thrown) === undefined || this.#common.signal.aborted) throw thrown
      error = thrown
    }
    await this.#destination?.close()
    const exit = error === undefined ? CURL_EXIT.ok : (curlExitOf(error) ?? 1)
    if (error !== undefined) this.#common.narration.failed(error, messageOf(error))
    return {
      exit,
      error,
      status: this.#response?.status,
      retryAfter: this.#response?.headers.get('retry-after'),
    }
  }

  async #get(): Promise<void> {
    const { line, network, cookies, narration, signal } = this.#common
    const { text, output, upload } = this.#job
    const { body, query } = await contentOf(line, upload)
    const more = await Promise.all(line.texts('url-query').map(queryPart))
    const parsed = parseCurlUrl(withUploadName(text, upload), {
      asIs: line.has('path-as-is'),
      query: query === undefined ? more : [...more, query],
    })
    const planned = plannedPath(line, output, parsed)
    const from = offsetOf(line, planned)
    this.#method = line.text('request') ?? (line.has('head') ? 'HEAD' : body.method)
    const maxTime = line.seconds('max-time') ?? 0
    const parts = {
      line,
      network,
      cookies,
      narration,
      signal,
      lines: headerLinesOf(line),
      deadline: maxTime > 0 ? this.#began + maxTime : Infinity,
      range: from > 0 ? `bytes=${from}-` : rangeOf(line.text('range')),
      condition: timeConditionOf(line.text('time-cond')),
      userAgent: toFieldBytes(line.text('user-agent') ?? 'moorage'),
      acceptEncoding: line.has('compressed') ? ACCEPT_ENCODING : undefined,
    }
    const answer = await transfer(parts, { url: parsed, method: this.#method, body }, (head) =>
      this.#heads.push(formatRawHead(head)),
    )
    this.#answer = answer
    this.#response = answer.response
    this.#method = answer.method
    await this.#receive(answer.response, planned, from)
  }

  async #receive(response: ClientResponse, planned: string | undefined, from: number): Promise<void> {
    const { line } = this.#common
    const isFailed = response.status >= 400
    this.#dumpHeads(line.text('dump-header'))
    if (isFailed && line.has('fail') && !line.has('fail-with-body')) {
      response.discard()
      throw statusFailure(response)
    }
    const etag = line.text('etag-save')
    if (etag !== undefined && !isFailed) writeFileSync(etag, `${response.headers.get('etag') ?? ''}\n`)
    const named = line.has('remote-header-name') ? nameOfServer(response) : undefined
    const path = named === undefined || planned === undefined ? planned : join(dirname(planned), basename(named))
    const destination = await openDestination(line, path, from)
    this.#destination = destination
    if (line.has('include') || line.has('head'))
      for (const head of this.#heads) await destination.write(Buffer.from(head, 'latin1'))
    if (from > 0 && response.status === 416) return response.discard()
    if (from > 0 && response.status === 200) {
      response.discard()
      throw new CurlFailure('range', `Cannot go on behind ${from} bytes: the server sends all of it`)
    }
    await this.#save(response, destination)
    if (isFailed && line.has('fail-with-body')) throw statusFailure(response)
  }

  async #save(response: ClientResponse, destination: Destination): Promise<void> {
    const { line } = this.#common
    const isQuiet = line.has('silent') || line.has('no-progress-meter') || destination.path === undefined
    const progress = new ProgressLine(new Output({ json: false, quiet: isQuiet, verbose: false }))
    const size = Number(response.headers.get('content-length') ?? 0)
    try {
      for await (const bytes of response) {
        this.#downloaded += bytes.length
        await destination.write(bytes)
        const totalBytes = this.#downloaded
        progress.update({
          name: basename(destination.path ?? ''),
          bytes: totalBytes,
          size: Math.max(size, totalBytes),
          totalBytes,
          totalSize: Math.max(size, totalBytes),
          transferredBytes: totalBytes,
          bytesPerSecond: totalBytes / Math.max((performance.now() - this.#began) / 1000, 0.001),
        })
      }
    } finally {
      progress.clear()
    }
  }

  #dumpHeads(path: string | undefined): void {
    if (path === undefined) return
    const text = this.#heads.join('')
    if (path === '-') process.stdout.write(text, 'latin1')
    else if (this.#job.number === 0) writeFileSync(path, text, 'latin1')
    else appendFileSync(path, text, 'latin1')
  }

  /** --write-out, when the last try is over. */
  async tell({ exit, error }: Ending): Promise<void> {
    const { line, narration } = this.#common
    const given = line.text('write-out')
    if (given === undefined) return
    const format = given.startsWith('@') ? readFileSync(given === '@-' ? 0 : given.slice(1), 'utf8') : given
    const answer = this.#answer
    const pieces = formatWriteOut(format, {
      answer,
      response: this.#response,
      givenUrl: this.#job.text,
      urlNumber: this.#job.number,
      method: this.#method,
      exit,
      error: error === undefined ? undefined : messageOf(error),
      path: this.#destination?.path,
      downloaded: this.#downloaded,
      totalMs: performance.now() - this.#began,
      sentBytes: answer?.sentBytes ?? 0,
      headerBytes: this.#heads.reduce((sum, head) => sum + head.length, 0),
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

/** A URL that ends with a slash gets the name of the file that is uploaded. */
function withUploadName(text: string, upload: string | undefined): string {
  if (upload === undefined || upload === '-' || upload === '.') return text
  const isBare = /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/?#]*$/i.test(text)
  return text.endsWith('/') || isBare ? `${text.replace(/\/$/, '')}/${encodeURIComponent(basename(upload))}` : text
}

const queryPart = async (text: string): Promise<string> => (text.startsWith('+') ? text.slice(1) : encodeData(text))

const rangeOf = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : `bytes=${/^\d+$/.test(text) ? `${text}-` : text}`

/** Those of --header, and those that --json and --etag-compare bring along. */
function headerLinesOf(line: CurlLine): readonly HeaderLine[] {
  const lines = [...parseHeaderLines(line.texts('header'))]
  const names = new Set(lines.map(({ name }) => name.toLowerCase()))
  const add = (name: string, value: string): void => {
    if (!names.has(name.toLowerCase())) lines.push({ name, value, isRemoved: false })
  }
  const etag = line.text('etag-compare')
  if (etag !== undefined) {
    if (!existsSync(etag)) throw new CurlFailure('read', `Cannot read ${JSON.stringify(etag)}: there is no such file`)
    const [text = ''] = readFileSync(etag, 'utf8').split(/\r?\n/)
    lines.push({ name: 'If-None-Match', value: toFieldBytes(text === '' ? '""' : text), isRemoved: false })
  }
  if (line.has('json')) {
    add('Content-Type', 'application/json')
    add('Accept', 'application/json')
  }
  return lines
}
