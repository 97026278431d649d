import type { Manners } from './politeness.js'
import type { UrlRules } from './canonical-url.js'

/** What bounds a crawl of a site that has no end. All of them count for each site (origin) alone, so that no site takes the room of another. */
export interface Bounds {
  /** URLs of a site that are asked for. */
  readonly maxPages: number
  /** Links from a start. */
  readonly maxDepth: number
  readonly maxUrlLength: number
  /** Segments of a path. */
  readonly maxSegments: number
  /** How often one segment stands in a path. */
  readonly maxRepeats: number
  /** URLs that differ only in numbers and in values of their query; those that a sitemap lists are not counted. */
  readonly maxPerPattern: number
  /** URLs of more than four segments, of which the first two are the same; those that a sitemap lists are not counted. */
  readonly maxInDepths: number
  /** Sets of names in the queries of one path. */
  readonly maxQueryKinds: number
  readonly maxLinksPerPage: number
  readonly maxRedirects: number
  /** Of a page, decoded. */
  readonly maxBodyBytes: number
}

export interface CrawlOptions extends Bounds, Manners, UrlRules {
  /** Who asks: `name/version (+where to read about it)`. The name is what robots.txt is searched for. */
  readonly userAgent: string
  /** For all of a request and its answer. */
  readonly timeoutMs: number
  /** How often a URL is asked for again behind a failure that may pass. */
  readonly retries: number
  /** Before the second try, twice as long before the next; a `Retry-After` counts for more. */
  readonly retryWaitMs: number
  /** The longest `Retry-After` and `Crawl-delay` that are obeyed to the letter. */
  readonly maxRetryAfterMs: number
  readonly maxCrawlDelayMs: number
}

export const DEFAULTS: CrawlOptions = {
  maxPages: 100_000,
  maxDepth: 25,
  maxUrlLength: 2000,
  maxSegments: 16,
  maxRepeats: 2,
  maxPerPattern: 2000,
  maxInDepths: 5000,
  maxQueryKinds: 16,
  maxLinksPerPage: 5000,
  maxRedirects: 10,
  maxBodyBytes: 5 * 1024 * 1024,
  delayMs: 1000,
  connectionsPerHost: 1,
  concurrency: 16,
  sortsQuery: true,
  userAgent: 'moorage-crawler/0.1',
  timeoutMs: 30_000,
  retries: 2,
  retryWaitMs: 2000,
  maxRetryAfterMs: 600_000,
  maxCrawlDelayMs: 30_000,
}

/** RFC 9309 §2.2.1: the product token of a user agent. */
export const productOf = (userAgent: string): string => /^[a-z_-]+/i.exec(userAgent)?.[0].toLowerCase() ?? ''
