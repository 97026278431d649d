import { LimitError, MoorageError, NetError, TimeoutError } from 'moorage'
import { Session, tryParseRetryAfter } from 'moorage/client'
import { AnswerReader, beginRecord, passOver } from './answer-reader.js'
import type { Bodies } from './bodies.js'
import type { CrawlOptions } from './options.js'
import type { FetchRecord } from './record.js'
import { MAX_SITEMAP_BYTES } from './sitemap.js'
import type { Entry } from './url-queue.js'

export type Visit =
  | { readonly type: 'done'; readonly record: FetchRecord }
  /** It may pass; `record` is what counts when it does not. */
  | { readonly type: 'later'; readonly record: FetchRecord; readonly waitMs: number | undefined }
  /** No connection: nothing is known of the URL. */
  | { readonly type: 'unreachable'; readonly why: string }

/** RFC 6585 §4, RFC 9110 §15.6. */
const OF_A_MOMENT = new Set([429, 502, 503, 504])

/** Asks for one URL, once, and says what came of it: everything that the crawl goes by is in the record. */
export class Visitor {
  readonly #session: Session
  readonly #bodies: Bodies
  readonly #reader: AnswerReader

  constructor(bodies: Bodies, options: CrawlOptions) {
    const { userAgent, timeoutMs, maxBodyBytes, connectionsPerHost, concurrency } = options
    this.#bodies = bodies
    this.#reader = new AnswerReader(bodies, options)
    // Redirects are links, which the frontier has once; other tries go through the manners of the crawl.
    this.#session = new Session({
      userAgent,
      timeoutMs,
      maxBodyBytes,
      followRedirects: false,
      retries: 0,
      cookies: false,
      hsts: false,
      maxConnectionsPerOrigin: connectionsPerHost,
      maxConnections: concurrency,
    })
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  /** `before` is what came of the last visit: an answer that says "the same" (304) stands for it. */
  async visit(entry: Entry, before: FetchRecord | undefined): Promise<Visit> {
    const known = before !== undefined && this.#isWhole(before) ? before : undefined
    try {
      const response = await this.#session.get(entry.url, {
        headers: conditionsOf(known),
        ...(entry.kind === 'sitemap' ? { maxBodyBytes: MAX_SITEMAP_BYTES } : {}),
      })
      const { status, headers } = response
      if (status === 304 && known !== undefined) {
        await passOver(response)
        return { type: 'done', record: { ...known, at: Date.now(), isUnchanged: true } }
      }
      const record = await this.#reader.read(entry, response, before)
      if (!OF_A_MOMENT.has(status)) return { type: 'done', record }
      return { type: 'later', record, waitMs: tryParseRetryAfter(headers.get('retry-after') ?? '', Date.now()) }
    } catch (error) {
      if (!(error instanceof MoorageError)) throw error
      if (error instanceof NetError || error.code === 'ERR_CONNECT_TIMEOUT')
        return { type: 'unreachable', why: error.message }
      const isTooLarge =
        error instanceof LimitError && (error.code === 'ERR_BODY_LIMIT' || error.code === 'ERR_CONTENT_LIMIT')
      const record = { ...beginRecord(entry.url, isTooLarge ? 'too-large' : 'failed', 0), why: error.code }
      // A page without end would be without end again.
      if (isTooLarge || error instanceof TimeoutError) return { type: 'done', record }
      return { type: 'later', record, waitMs: undefined }
    }
  }

  /** What a "not modified" would stand for is there. */
  #isWhole({ hash, bytes }: FetchRecord): boolean {
    return hash === undefined || this.#bodies.has(hash, bytes ?? 0)
  }
}

/** RFC 9110 §13.1. */
const conditionsOf = (before: FetchRecord | undefined): Record<string, string> => ({
  ...(before?.etag === undefined ? {} : { 'If-None-Match': before.etag }),
  ...(before?.modified === undefined ? {} : { 'If-Modified-Since': before.modified }),
})
