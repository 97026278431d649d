import { gunzipSync } from 'node:zlib'
import { MoorageError } from 'moorage'
import { decodeText, parseLinks, type ClientResponse } from 'moorage/client'
import { tryParseMediaType } from 'moorage/engine/http'
import type { Bodies } from './bodies.js'
import { canonicalUrl } from './canonical-url.js'
import { productOf, type CrawlOptions } from './options.js'
import { readLinks, readRobotsTags } from './page-links.js'
import { shortLink, type FetchRecord, type Outcome } from './record.js'
import { MAX_ROBOTS_BYTES } from './robots.js'
import { MAX_SITEMAP_BYTES, parseSitemap } from './sitemap.js'
import type { Entry } from './url-queue.js'

const HTML = new Set(['text/html', 'application/xhtml+xml'])
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Makes a record of an answer: keeps its body, and finds its links. */
export class AnswerReader {
  readonly #bodies: Bodies
  readonly #options: CrawlOptions
  readonly #product: string

  constructor(bodies: Bodies, options: CrawlOptions) {
    this.#bodies = bodies
    this.#options = options
    this.#product = productOf(options.userAgent)
  }

  /** `before` is what came of the last visit. @throws what breaks the body off, LimitError for one that is too long. */
  async read(entry: Entry, response: ClientResponse, before: FetchRecord | undefined): Promise<FetchRecord> {
    const { status, headers } = response
    const { url } = entry
    if (REDIRECTS.has(status)) {
      await passOver(response)
      const target = canonicalUrl(headers.get('location') ?? '', url, this.#options)
      return {
        ...beginRecord(url, 'redirect', status),
        links: target === undefined ? [] : this.#shorten([target], url),
      }
    }
    if (!response.ok) {
      await passOver(response)
      return beginRecord(url, entry.kind === 'robots' ? 'robots' : 'status', status)
    }
    if (entry.kind === 'robots')
      return { ...beginRecord(url, 'robots', status), ...validators(response), ...(await readRobots(response)) }
    const limit = entry.kind === 'sitemap' ? MAX_SITEMAP_BYTES : this.#options.maxBodyBytes
    if (Number(headers.get('content-length') ?? 0) > limit) {
      response.discard()
      return { ...beginRecord(url, 'too-large', status), why: 'Content-Length' }
    }
    const bytes = await response.bytes()
    if (entry.kind === 'sitemap')
      return { ...beginRecord(url, 'sitemap', status), ...validators(response), ...this.#readSitemap(bytes, url) }
    return this.#readPage(bytes, url, response, before)
  }

  async #readPage(
    bytes: Uint8Array,
    url: string,
    response: ClientResponse,
    before: FetchRecord | undefined,
  ): Promise<FetchRecord> {
    const { status, headers } = response
    const type = headers.get('content-type')
    const parsed = tryParseMediaType(type ?? '')
    const directives = new Set(readRobotsTags(headers.getAll('x-robots-tag'), this.#product))
    const told = parseLinks(headers.getAll('link').join(', ')).find(({ rel }) => rel === 'canonical')
    let canonical = told === undefined ? undefined : canonicalUrl(told.target, url, this.#options)
    let links: string[] = []
    if (parsed !== undefined && HTML.has(`${parsed.type}/${parsed.subtype}`)) {
      const { maxLinksPerPage } = this.#options
      const page = readLinks(decodeText(bytes, type), { maxLinks: maxLinksPerPage, product: this.#product })
      const base = page.base === undefined ? url : (canonicalUrl(page.base, url, this.#options) ?? url)
      canonical ??= page.canonical === undefined ? undefined : canonicalUrl(page.canonical, base, this.#options)
      for (const directive of page.directives) directives.add(directive)
      const found = page.refresh === undefined ? page.links : [...page.links, page.refresh]
      links = this.#canonical(found, base, url)
    }
    // RFC 6596: what the other URL gives has all of this, its links too. What a page says of another site does not count.
    if (canonical !== undefined && canonical !== url && isSameOrigin(canonical, url))
      return { ...beginRecord(url, 'elsewhere', status), links: this.#shorten([canonical], url) }
    const isKept = !directives.has('noindex') && !directives.has('none')
    const isFollowed = !directives.has('nofollow') && !directives.has('none')
    const record: FetchRecord = {
      ...beginRecord(url, isKept ? 'kept' : 'noindex', status),
      ...validators(response),
      links: isFollowed ? links : [],
    }
    if (!isKept) return record
    const hash = await this.#bodies.keep(bytes)
    const isUnchanged = before?.hash === hash ? { isUnchanged: true } : {}
    return { ...record, ...isUnchanged, hash, bytes: bytes.length, ...(type === undefined ? {} : { type }) }
  }

  /** Sitemaps are often files of gzip, which no `Content-Encoding` says. */
  #readSitemap(bytes: Uint8Array, url: string): Pick<FetchRecord, 'links' | 'sitemaps' | 'why'> {
    let unpacked = bytes
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
      try {
        unpacked = gunzipSync(bytes, { maxOutputLength: MAX_SITEMAP_BYTES })
      } catch {
        return { links: [], why: 'no gzip, or too long' }
      }
    }
    const { pages, sitemaps } = parseSitemap(decodeText(unpacked, 'application/xml'))
    return { links: this.#canonical(pages, url, url), sitemaps: this.#canonical(sitemaps, url, url) }
  }

  /** As the record of `url` has them, each once. */
  #canonical(links: readonly string[], base: string, url: string): string[] {
    return this.#shorten(
      links.flatMap((link) => canonicalUrl(link, base, this.#options) ?? []),
      url,
    )
  }

  #shorten(urls: readonly string[], url: string): string[] {
    const { origin } = new URL(url)
    return [...new Set(urls)].map((found) => shortLink(found, origin))
  }
}

export const beginRecord = (url: string, outcome: Outcome, status: number): FetchRecord => ({
  url,
  at: Date.now(),
  outcome,
  status,
})

const isSameOrigin = (a: string, b: string): boolean => new URL(a).origin === new URL(b).origin

function validators({ headers }: ClientResponse): Pick<FetchRecord, 'etag' | 'modified'> {
  const [etag, modified] = [headers.get('etag'), headers.get('last-modified')]
  return { ...(etag === undefined ? {} : { etag }), ...(modified === undefined ? {} : { modified }) }
}

/** A short one is read, so that its connection can be used again. */
export async function passOver(response: ClientResponse): Promise<void> {
  try {
    await response.bytes()
  } catch (error) {
    if (!(error instanceof MoorageError)) throw error
    // It was too long, or broke off: the head is all that counts.
  }
}

/** RFC 9309 §2.5: of a longer one the beginning counts, without the line that is cut. */
async function readRobots(response: ClientResponse): Promise<Pick<FetchRecord, 'text'>> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of response) {
    pieces.push(piece)
    length += piece.length
    if (length > MAX_ROBOTS_BYTES) break
  }
  const text = Buffer.concat(pieces).toString('utf8', 0, MAX_ROBOTS_BYTES)
  return { text: length > MAX_ROBOTS_BYTES ? text.slice(0, text.lastIndexOf('\n') + 1) : text }
}
