import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, rm, stat } from 'node:fs/promises'
import { throwIfAborted } from '../base/cancellation.js'
import { fieldPairs } from '../engine/http/fields.js'
import { tryParseContentRange } from '../engine/http/range.js'
import { tryContentLength } from './content-length.js'
import { tryParseReprDigest, type WantedDigest } from './content-digest.js'
import {
  checkDigest,
  mayGoOn,
  isSameVersion,
  urlDigest,
  validatorOf,
  type DownloadOptions,
  type DownloadReport,
  type Getter,
} from './download-rules.js'
import { BodyError } from './errors.js'
import { FileWriter } from './file-writer.js'
import type { ClientResponse } from './response.js'
import { saveBody } from './save-body.js'
import { publish } from './save-place.js'
import type { RequestOptions } from './session-options.js'
import { replaceWhole } from './whole-file.js'

/** A shorter one is not worth a connection. */
const MIN_SEGMENT_BYTES = 1024 * 1024
const MAX_SEGMENTS = 16
/** Of each segment, between two notes of how far it is: what `kill -9` may cost. */
const NOTE_BYTES = 4 * 1024 * 1024

/** A part of the file, and how far it is: `at` goes up to `end`. */
interface Segment {
  at: number
  readonly end: number
}

/** What is needed to go on: kept beside the part, so that another process can. */
interface SegmentFacts {
  readonly url: string
  readonly validator: string
  readonly total: number
  readonly segments: readonly Segment[]
}

/** What the server says of the file before it is fetched. */
interface Plan {
  readonly validator: string
  readonly total: number
  readonly digest: WantedDigest | undefined
  readonly response: ClientResponse
}

/**
 * Saves what a URL gives by several connections at a time, each for a part of it (RFC 9110 §14). `undefined` where the server
 * does not allow that, or the file is too short for it.
 */
export async function downloadSegmented(
  session: Getter,
  url: string,
  path: string,
  options: DownloadOptions,
  request: RequestOptions,
  wanted: WantedDigest | undefined,
): Promise<DownloadReport | undefined> {
  const response = await session.head(url, { ...request, decompress: false })
  const plan = planOf(response)
  if (plan === undefined) return undefined
  return new SegmentedDownload(session, url, path, options, request, plan, wanted ?? plan.digest).run()
}

function planOf(response: ClientResponse): Plan | undefined {
  const { headers, status } = response
  const total = tryContentLength(headers) ?? 0
  const validator = validatorOf(response)
  const takesRanges = /(?:^|,)\s*bytes\s*(?:,|$)/i.test(headers.get('accept-ranges') ?? '')
  if (status !== 200 || validator === undefined || !takesRanges || total < 2 * MIN_SEGMENT_BYTES) return undefined
  return { validator, total, digest: tryParseReprDigest(headers.get('repr-digest') ?? ''), response }
}

class SegmentedDownload {
  readonly #session: Getter
  readonly #url: string
  readonly #path: string
  readonly #options: DownloadOptions
  readonly #request: RequestOptions
  readonly #plan: Plan
  readonly #wanted: WantedDigest | undefined
  readonly #part: string
  readonly #facts: string
  #segments: readonly Segment[] = []
  #noted = 0
  #noting: Promise<void> = Promise.resolve()
  #breaks = 0

  constructor(
    session: Getter,
    url: string,
    path: string,
    options: DownloadOptions,
    request: RequestOptions,
    plan: Plan,
    wanted: WantedDigest | undefined,
  ) {
    this.#session = session
    this.#url = url
    this.#path = path
    this.#options = options
    this.#request = request
    this.#plan = plan
    this.#wanted = wanted
    this.#part = `${path}.part`
    this.#facts = `${path}.part.json`
  }

  get #received(): number {
    return this.#plan.total - this.#segments.reduce((left, { at, end }) => left + end - at, 0)
  }

  async run(): Promise<DownloadReport> {
    const { segments: wanted = 1, resume = true, sync = false } = this.#options
    const { total, response } = this.#plan
    const found = resume ? await this.#findSegments() : undefined
    this.#segments = found ?? split(total, Math.min(wanted, MAX_SEGMENTS))
    const resumed = found === undefined ? 0 : this.#received
    if (found === undefined) await this.#begin()
    await this.#fetchAll()
    await this.#noting
    await this.#check()
    if (sync) await flushFile(this.#part)
    await publish(this.#part, this.#path)
    await rm(this.#facts, { force: true })
    const isChecked = this.#wanted !== undefined
    return { path: this.#path, bytes: total, resumed, breaks: this.#breaks, isChecked, response }
  }

  /** What an earlier call left of the same file. */
  async #findSegments(): Promise<readonly Segment[] | undefined> {
    try {
      const { url, validator, total, segments }: Partial<SegmentFacts> = JSON.parse(await readFile(this.#facts, 'utf8'))
      const isSame = url === urlDigest(this.#url) && validator === this.#plan.validator && total === this.#plan.total
      const { size } = await stat(this.#part)
      return isSame && size === total && Array.isArray(segments) ? segments.map((each) => ({ ...each })) : undefined
    } catch {
      return undefined // There is none, or none that can be used: it begins anew.
    }
  }

  /** The file has its length from the beginning: each segment is written to its place. */
  async #begin(): Promise<void> {
    const file = await open(this.#part, 'w', 0o666)
    try {
      await file.truncate(this.#plan.total)
    } finally {
      await file.close()
    }
    await this.#note()
  }

  async #note(): Promise<void> {
    this.#noted = this.#received
    const { validator, total } = this.#plan
    const facts: SegmentFacts = { url: urlDigest(this.#url), validator, total, segments: this.#segments }
    await replaceWhole(this.#facts, JSON.stringify(facts), { sync: false })
  }

  /** All of them; when one fails the others end, and what they have is kept. */
  async #fetchAll(): Promise<void> {
    const controller = new AbortController()
    const { signal } = this.#request
    throwIfAborted(signal)
    const heard = (): void => controller.abort(signal?.reason)
    signal?.addEventListener('abort', heard, { once: true })
    const failures: unknown[] = []
    try {
      await Promise.all(
        this.#segments.map(async (segment) => {
          try {
            await this.#fetch(segment, controller.signal)
          } catch (error) {
            failures.push(error)
            controller.abort(error)
          }
        }),
      )
    } finally {
      signal?.removeEventListener('abort', heard)
    }
    if (failures.length === 0) return
    await this.#noting
    await this.#note()
    throw failures[0]
  }

  async #fetch(segment: Segment, signal: AbortSignal): Promise<void> {
    const { attempts = 5 } = this.#options
    for (let failures = 0; segment.at < segment.end;) {
      const before = segment.at
      try {
        await this.#fetchOnce(segment, signal)
      } catch (error) {
        failures = segment.at > before ? 0 : failures + 1
        if (!mayGoOn(error) || failures >= attempts) throw error
        this.#breaks += 1
      }
    }
  }

  async #fetchOnce(segment: Segment, signal: AbortSignal): Promise<void> {
    const { at, end } = segment
    const given = this.#request.headers
    const response = await this.#session.get(this.#url, {
      ...this.#request,
      signal,
      decompress: false,
      headers: [
        ...(given === undefined ? [] : fieldPairs(given)),
        ['Range', `bytes=${at}-${end - 1}`],
        ['If-Range', this.#plan.validator],
      ],
    })
    const { range } = tryParseContentRange(response.headers.get('content-range') ?? '') ?? {}
    const isRange = response.raiseForStatus().status === 206 && range?.start === at && range.end === end
    if (!isRange || !isSameVersion(response, this.#plan.validator)) {
      response.discard()
      throw new BodyError(
        'ERR_BODY',
        'Cannot go on with the download: the server has another file now, or no ranges of it',
      )
    }
    const writer = await FileWriter.open(this.#part, at, end - at, true)
    try {
      await saveBody(response, writer, { wrote: () => this.#wrote(segment, writer.written) })
      await writer.finish(false)
      this.#wrote(segment, writer.written)
    } finally {
      await writer.leave()
      segment.at = writer.written
    }
  }

  /** Only what is with the system counts: a note of more would leave a hole behind `kill -9`. */
  #wrote(segment: Segment, written: number): void {
    segment.at = written
    this.#options.onProgress?.({ received: this.#received, total: this.#plan.total })
    if (this.#received - this.#noted < NOTE_BYTES * this.#segments.length) return
    this.#noted = this.#received
    // A note that cannot be written costs what is fetched twice, and no more.
    this.#noting = this.#noting.then(() => this.#note()).catch(() => undefined)
  }

  async #check(): Promise<void> {
    if (this.#wanted === undefined) return
    const hash = createHash(this.#wanted.algorithm)
    for await (const piece of createReadStream(this.#part, { highWaterMark: 1024 * 1024 })) hash.update(piece)
    await checkDigest(this.#wanted, hash, [this.#part, this.#facts])
  }
}

function split(total: number, count: number): readonly Segment[] {
  const parts = Math.max(1, Math.min(count, Math.floor(total / MIN_SEGMENT_BYTES)))
  return Array.from({ length: parts }, (_, i) => ({
    at: Math.floor((total * i) / parts),
    end: Math.floor((total * (i + 1)) / parts),
  }))
}

async function flushFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
