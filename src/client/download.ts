import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { fieldPairs } from '../engine/http/fields.js'
import { tryParseContentRange } from '../engine/http/range.js'
import { tryContentLength } from './content-length.js'
import { parseDigest, tryParseReprDigest, type WantedDigest } from './content-digest.js'
import {
  checkDigest,
  isSameVersion,
  mayGoOn,
  urlDigest,
  validatorOf,
  type DownloadOptions,
  type DownloadReport,
  type Getter,
} from './download-rules.js'
import { BodyError } from './errors.js'
import { FileWriter } from './file-writer.js'
import { PartLock } from './part-lock.js'
import { saveBody } from './save-body.js'
import { findPlace, publish, writeThrough } from './save-place.js'
import type { ClientResponse } from './response.js'
import { downloadSegmented } from './segmented-download.js'
import type { RequestOptions } from './session-options.js'

/** What is needed to go on: kept beside the part, so that another process can. */
interface PartFacts {
  /** SHA-256 of the URL, which can have a password or a token. */
  readonly url: string
  readonly validator: string
  readonly total: number | undefined
  readonly segments?: never
}

/**
 * Saves what a URL gives under a name, all of it or nothing: it is written beside it (`<path>.part`), checked, and renamed.
 * What broke off goes on where it stopped, by `Range` and `If-Range` (RFC 9110 §14), in this call and in the next.
 */
export async function download(
  session: Getter,
  url: string | URL,
  path: string,
  options: DownloadOptions = {},
): Promise<DownloadReport> {
  const place = await findPlace(path)
  const wanted = new Download(session, String(url), place.path, options)
  if (!place.isFile) return wanted.runThrough()
  const lock = await PartLock.take(`${place.path}.part`)
  try {
    return (await wanted.runSegmented()) ?? (await wanted.run())
  } finally {
    await lock.release()
  }
}

class Download {
  readonly #session: Getter
  readonly #url: string
  readonly #path: string
  readonly #options: DownloadOptions
  readonly #request: RequestOptions
  readonly #part: string
  readonly #facts: string
  #validator: string | undefined
  #total: number | undefined
  #length = 0
  #hash: Hash | undefined
  #wanted: WantedDigest | undefined

  constructor(session: Getter, url: string, path: string, options: DownloadOptions) {
    const {
      digest,
      resume: _resume,
      segments: _segments,
      attempts: _attempts,
      sync: _sync,
      onProgress: _onProgress,
      ...request
    } = options
    this.#session = session
    this.#url = url
    this.#path = path
    this.#options = options
    // How long all of it takes, nobody knows: what stands still is ended by bodyTimeoutMs.
    this.#request = { timeoutMs: Infinity, ...request }
    this.#part = `${path}.part`
    this.#facts = `${path}.part.json`
    this.#wanted = digest === undefined ? undefined : parseDigest(digest)
  }

  /** Into a device or a pipe: nothing of it can be gone on with. */
  async runThrough(): Promise<DownloadReport> {
    const response = await this.#session.get(this.#url, { ...this.#request, decompress: false })
    const wanted = this.#wanted ?? tryParseReprDigest(response.headers.get('repr-digest') ?? '')
    const hash = wanted && createHash(wanted.algorithm)
    const bytes = await writeThrough(response.raiseForStatus(), this.#path, (piece) => hash?.update(piece))
    if (wanted !== undefined && hash !== undefined) await checkDigest(wanted, hash, [])
    return { path: this.#path, bytes, resumed: 0, breaks: 0, isChecked: wanted !== undefined, response }
  }

  /** `undefined` where it is not wanted, or cannot be. */
  async runSegmented(): Promise<DownloadReport | undefined> {
    if ((this.#options.segments ?? 1) <= 1) return undefined
    return downloadSegmented(this.#session, this.#url, this.#path, this.#options, this.#request, this.#wanted)
  }

  async run(): Promise<DownloadReport> {
    const { attempts = 5, resume = true } = this.#options
    if (resume) await this.#findPart()
    const resumed = this.#length
    let [breaks, failures] = [0, 0]
    for (;;) {
      const before = this.#length
      try {
        const response = await this.#getRest()
        return await this.#finish(response, { resumed, breaks })
      } catch (error) {
        failures = this.#length > before ? 0 : failures + 1
        if (!mayGoOn(error) || this.#validator === undefined || failures >= attempts) throw error
        breaks += 1
      }
    }
  }

  /** What an earlier call left, where it is of the same URL and the server said by what it knows it again. */
  async #findPart(): Promise<void> {
    try {
      const [{ size }, text] = await Promise.all([stat(this.#part), readFile(this.#facts, 'utf8')])
      const { url, validator, total, segments }: Partial<PartFacts> = JSON.parse(text)
      // One of several segments has holes.
      if (segments !== undefined) return
      if (url !== urlDigest(this.#url) || typeof validator !== 'string' || validator === '') return
      this.#validator = validator
      this.#total = typeof total === 'number' ? total : undefined
      this.#length = size
    } catch {
      // There is none, or none that can be used: it begins anew.
    }
  }

  async #getRest(): Promise<ClientResponse> {
    const from = this.#validator === undefined ? 0 : this.#length
    const headers: Record<string, string> =
      from === 0 || this.#validator === undefined ? {} : { Range: `bytes=${from}-`, 'If-Range': this.#validator }
    const given = this.#request.headers
    const response = await this.#session.get(this.#url, {
      ...this.#request,
      decompress: false,
      headers: [...(given === undefined ? [] : fieldPairs(given)), ...Object.entries(headers)],
    })
    if (response.status === 416 && from > 0) return await this.#behindEnd(response, from)
    response.raiseForStatus()
    if (response.status === 206 && this.#validator !== undefined && !isSameVersion(response, this.#validator))
      return await this.#anew(response)
    const start = response.status === 206 ? this.#startOf(response, from) : 0
    this.#wanted ??= tryParseReprDigest(response.headers.get('repr-digest') ?? '')
    if (response.status !== 206) await this.#noteFacts(response)
    await this.#hashUpTo(start)
    await this.#write(response, start)
    return response
  }

  /** All of it was there already, or it is another file now. */
  async #behindEnd(response: ClientResponse, from: number): Promise<ClientResponse> {
    response.discard()
    const { size } = tryParseContentRange(response.headers.get('content-range') ?? '') ?? {}
    if (size === from && this.#total === from) {
      await this.#hashUpTo(from)
      return response
    }
    return this.#anew(response)
  }

  /** It is another file now. */
  #anew(response: ClientResponse): Promise<ClientResponse> {
    response.discard()
    this.#validator = undefined
    this.#length = 0
    return this.#getRest()
  }

  #startOf(response: ClientResponse, from: number): number {
    const told = response.headers.get('content-range') ?? ''
    const { range, size } = tryParseContentRange(told) ?? {}
    if (range?.start !== from || (this.#total !== undefined && size !== undefined && size !== this.#total)) {
      response.discard()
      throw new BodyError(
        'ERR_BODY',
        `Cannot go on with the download: bytes from ${from} were asked for, the server sent "${told.slice(0, 64)}"`,
      )
    }
    return from
  }

  async #noteFacts(response: ClientResponse): Promise<void> {
    const { headers } = response
    this.#validator = validatorOf(response)
    this.#total = tryContentLength(headers)
    this.#wanted ??= tryParseReprDigest(headers.get('repr-digest') ?? '')
    if (this.#validator === undefined) {
      await rm(this.#facts, { force: true })
      return
    }
    const facts: PartFacts = { url: urlDigest(this.#url), validator: this.#validator, total: this.#total }
    await writeFile(this.#facts, JSON.stringify(facts))
  }

  /** The digest of what is there already; anew, as it may be cut. */
  async #hashUpTo(length: number): Promise<void> {
    if (this.#wanted === undefined) return
    this.#hash = createHash(this.#wanted.algorithm)
    if (length === 0) return
    for await (const piece of createReadStream(this.#part, { end: length - 1, highWaterMark: 1024 * 1024 }))
      this.#hash.update(piece)
  }

  async #write(response: ClientResponse, start: number): Promise<void> {
    const { onProgress } = this.#options
    const { sync = false } = this.#options
    const expected = tryContentLength(response.headers) ?? Infinity
    const writer = await FileWriter.open(this.#part, start, expected)
    this.#length = start
    try {
      await saveBody(response, writer, {
        hash: this.#hash,
        wrote: onProgress && (() => onProgress({ received: writer.length, total: this.#total })),
      })
      await writer.finish(sync)
    } catch (error) {
      await writer.leave()
      throw error
    } finally {
      // What could not be written is not gone on behind: there would be a hole.
      this.#length = writer.written
    }
  }

  async #finish(
    response: ClientResponse,
    { resumed, breaks }: { readonly resumed: number; readonly breaks: number },
  ): Promise<DownloadReport> {
    const wanted = this.#wanted
    if (wanted !== undefined && this.#hash !== undefined)
      await checkDigest(wanted, this.#hash, [this.#part, this.#facts])
    await publish(this.#part, this.#path)
    await rm(this.#facts, { force: true })
    return { path: this.#path, bytes: this.#length, resumed, breaks, isChecked: wanted !== undefined, response }
  }
}
