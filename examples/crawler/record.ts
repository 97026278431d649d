import * as v from 'valibot'

/** What became of a URL. */
export const OUTCOMES = [
  'kept', // a page, or another body: it is in the folder
  'noindex', // it does not want to be kept
  'elsewhere', // it names another URL as the one to know it by
  'redirect',
  'status', // an answer of another status
  'failed', // no whole answer
  'too-large',
  'sitemap',
  'robots',
] as const

export type Outcome = (typeof OUTCOMES)[number]

/**
 * What came of fetching one URL: a line of the journal. It has all that the crawl needs to go on from it, so that the URL
 * need not be fetched again.
 */
export const FetchRecord = v.object({
  url: v.string(),
  /** When, in milliseconds since 1970. */
  at: v.number(),
  outcome: v.picklist(OUTCOMES),
  /** 0: there was none. */
  status: v.number(),
  /** SHA-256 of the body as it was decoded, by which it is kept; with its length. */
  hash: v.exactOptional(v.string()),
  bytes: v.exactOptional(v.number()),
  type: v.exactOptional(v.string()),
  /** Validators (RFC 9110 §8.8), for the next visit. */
  etag: v.exactOptional(v.string()),
  modified: v.exactOptional(v.string()),
  /** Canonical URLs; those of the same origin without it. */
  links: v.exactOptional(v.array(v.string())),
  /** Of robots.txt and of an index of sitemaps. */
  sitemaps: v.exactOptional(v.array(v.string())),
  /** Of robots.txt. */
  text: v.exactOptional(v.string()),
  why: v.exactOptional(v.string()),
  /** The same as on the last visit. */
  isUnchanged: v.exactOptional(v.boolean()),
})

export type FetchRecord = v.InferOutput<typeof FetchRecord>

export const isFetchRecord = (value: unknown): value is FetchRecord => v.is(FetchRecord, value)

/** Links of a site are most of a journal: they are shorter without the origin. */
export const shortLink = (url: string, origin: string): string =>
  url.startsWith(`${origin}/`) ? url.slice(origin.length) : url

export const wholeLink = (link: string, origin: string): string => (link.startsWith('/') ? origin + link : link)
