import { Admission, type Found } from './admission.js'
import { HashTable } from './hash-table.js'
import type { CrawlOptions } from './options.js'
import { wholeLink, type FetchRecord } from './record.js'
import type { Tally } from './tally.js'
import { UrlQueue, type Entry } from './url-queue.js'

export interface FrontierParts {
  readonly options: CrawlOptions
  readonly tally: Tally
  readonly queuePath: string
  /** Whether an origin is one of the crawl. */
  readonly isSite: (origin: string) => boolean
  /** Told of each answer in the order of the queue. */
  readonly settled: (entry: Entry, record: FetchRecord, isDuplicate: boolean) => void
}

/** A link to another site, which waits until the round is over. */
export interface LinkAway {
  readonly url: string
  readonly depth: number
  readonly redirects: number
  /** A start URL leads there by a redirect: its origin becomes a site of the crawl. */
  readonly isStart: boolean
}

export interface Numbered {
  readonly number: number
  readonly entry: Entry
}

/** Answers that wait for an earlier one. */
const MAX_UNSETTLED = 256
const MAX_LINKS_AWAY = 10_000
/** Links to what is no site of the crawl, and may become one. */
const MAX_STRANGERS = 1000
/** An index of sitemaps has sitemaps, and those have none. */
const MAX_SITEMAP_DEPTH = 2

/**
 * The URLs of one site (origin) that are to be fetched, and what answers lead to. Answers come in any order, and are settled
 * in that of the queue: so the set that a crawl comes to follows from the answers alone, not from their timing, and not from
 * where a run was killed.
 */
export class Frontier {
  readonly origin: string
  readonly #parts: FrontierParts
  readonly #admission: Admission
  readonly #queue: UrlQueue
  readonly #contents = new HashTable()
  readonly #unsettled = new Map<number, { readonly entry: Entry; readonly record: FetchRecord | undefined }>()
  #linksAway = new Map<string, LinkAway>()
  readonly #strangers = new Map<string, LinkAway>()
  #taken = 0
  #settled = 0

  constructor(origin: string, parts: FrontierParts) {
    this.origin = origin
    this.#parts = parts
    this.#admission = new Admission(parts.options)
    this.#queue = new UrlQueue(parts.queuePath)
  }

  get waiting(): number {
    return this.#queue.size
  }

  offer(found: Found, kind: Entry['kind'] = 'page'): void {
    const refusal = this.#admission.admit(found)
    if (refusal === undefined) this.#queue.push({ ...found, kind })
    else this.#parts.tally.refused(refusal)
  }

  offerSitemaps(urls: readonly string[], depth: number): void {
    if (depth >= MAX_SITEMAP_DEPTH) return
    for (const url of urls)
      if (url.startsWith(`${this.origin}/`)) this.offer({ url, depth, redirects: 0, isListed: true }, 'sitemap')
  }

  /** The next one, to be settled by its number; `undefined` while too many wait for an earlier one, too. */
  take(): Numbered | undefined {
    if (this.#taken - this.#settled >= MAX_UNSETTLED) return undefined
    const entry = this.#queue.shift()
    if (entry === undefined) return undefined
    this.#taken += 1
    return { number: this.#taken - 1, entry }
  }

  /** `record` is what came of it, or `undefined` for nothing. */
  settle({ number, entry }: Numbered, record: FetchRecord | undefined): void {
    this.#unsettled.set(number, { entry, record })
    for (;;) {
      const next = this.#unsettled.get(this.#settled)
      if (next === undefined) return
      this.#unsettled.delete(this.#settled)
      this.#settled += 1
      if (next.record !== undefined) this.#follow(next.entry, next.record)
    }
  }

  /** What was found of other sites since it was asked last. */
  takeLinksAway(): readonly LinkAway[] {
    const links = [...this.#linksAway.values()]
    this.#linksAway = new Map()
    for (const link of this.#strangers.values()) {
      if (!this.#parts.isSite(new URL(link.url).origin)) continue
      this.#strangers.delete(link.url)
      links.push(link)
    }
    return links
  }

  close(): void {
    this.#queue.close()
  }

  #follow(entry: Entry, record: FetchRecord): void {
    const { outcome, hash, links = [], sitemaps = [] } = record
    const isDuplicate = hash !== undefined && this.#contents.has(hash)
    if (hash !== undefined) this.#contents.set(hash, 1)
    this.#parts.settled(entry, record, isDuplicate)
    // Its links are those of the page with the same content, or lead in circles: `a/` in /a/, in /a/a/, …
    if (isDuplicate) return
    const isSamePage = outcome === 'redirect' || outcome === 'elsewhere'
    const depth = isSamePage ? entry.depth : entry.depth + 1
    const redirects = isSamePage ? entry.redirects + 1 : 0
    const isListed = outcome === 'sitemap'
    const isStart = entry.depth === 0 && entry.kind === 'page'
    for (const link of links) {
      const found = wholeLink(link, this.origin)
      if (found.startsWith(`${this.origin}/`))
        this.offer({ url: found, depth: isListed ? 1 : depth, redirects, isListed }, isSamePage ? entry.kind : 'page')
      else this.#noteAway({ url: found, depth, redirects, isStart: isStart && outcome === 'redirect' })
    }
    const nested = sitemaps.map((sitemap) => wholeLink(sitemap, this.origin))
    this.offerSitemaps(nested, depth)
  }

  #noteAway(link: LinkAway): void {
    const { url, depth, redirects, isStart } = link
    if (redirects > this.#parts.options.maxRedirects) {
      this.#parts.tally.refused('too many redirects')
      return
    }
    const isOurs = isStart || this.#parts.isSite(new URL(url).origin)
    const [links, most] = isOurs ? [this.#linksAway, MAX_LINKS_AWAY] : [this.#strangers, MAX_STRANGERS]
    const known = links.get(url)
    if (known === undefined ? links.size < most : depth < known.depth) links.set(url, link)
  }
}
