import { setImmediate } from 'node:timers/promises'
import { Admission, type Found } from './admission.js'
import { canonicalUrl } from './canonical-url.js'
import type { CrawlFolder } from './crawl-folder.js'
import { HashTable } from './hash-table.js'
import { productOf, type CrawlOptions } from './options.js'
import type { Politeness } from './politeness.js'
import { wholeLink, type FetchRecord } from './record.js'
import { RobotsFile } from './robots-file.js'
import type { Tally } from './tally.js'
import { UrlQueue, type Entry } from './url-queue.js'
import { visitPolitely } from './visits.js'
import type { Visitor } from './visitor.js'

/** What all sites of a crawl share. */
export interface SiteParts {
  readonly options: CrawlOptions
  readonly folder: CrawlFolder
  readonly visitor: Visitor
  readonly politeness: Politeness
  readonly tally: Tally
  /** Of all bodies that belong to the set. */
  readonly hashes: HashTable
  /** Whether what failed in an earlier run is tried again. */
  readonly retriesFailed: boolean
  readonly startedAt: number
  readonly isSite: (origin: string) => boolean
}

/** A link to another site, which waits until the round is over. */
export interface LinkAway {
  readonly url: string
  readonly depth: number
  readonly redirects: number
  /** A start URL leads there by a redirect: its origin becomes a site of the crawl. */
  readonly isStart: boolean
}

/** Answers that wait for an earlier one. */
const MAX_UNSETTLED = 256
const MAX_LINKS_AWAY = 10_000
/** Links to what is no site of the crawl, and may become one. */
const MAX_STRANGERS = 1000
/** Known URLs between which others get their turn. */
const KNOWN_IN_A_TURN = 256
/** An index of sitemaps has sitemaps, and those have none. */
const MAX_SITEMAP_DEPTH = 2

/**
 * The crawl of one site (origin). What its answers lead to is settled in the order of its queue, whichever comes first, and
 * so the set that it comes to follows from the answers alone: not from their timing, and not from where a run was killed.
 */
export class SiteCrawl {
  readonly origin: string
  readonly #host: string
  readonly #parts: SiteParts
  readonly #admission: Admission
  readonly #queue: UrlQueue
  readonly #robots: RobotsFile
  readonly #contents = new HashTable()
  readonly #unsettled = new Map<number, { readonly entry: Entry; readonly record: FetchRecord | undefined }>()
  #linksAway = new Map<string, LinkAway>()
  readonly #strangers = new Map<string, LinkAway>()
  #begun = 0
  #settled = 0
  /** Why nothing more of this site can be fetched in this run. */
  brokenOff: string | undefined

  constructor(origin: string, number: number, parts: SiteParts) {
    this.origin = origin
    this.#host = new URL(origin).hostname
    this.#parts = parts
    this.#admission = new Admission(parts.options)
    this.#queue = new UrlQueue(parts.folder.queuePath(number))
    this.#robots = new RobotsFile(origin, productOf(parts.options.userAgent))
    parts.politeness.know(this.#host)
  }

  get waiting(): number {
    return this.#queue.size
  }

  offer(found: Found, kind: Entry['kind'] = 'page'): void {
    const refusal = this.#admission.admit(found)
    if (refusal === undefined) this.#queue.push({ ...found, kind })
    else this.#parts.tally.refused(refusal)
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

  /** Until nothing waits, the site cannot be reached, or the signal is given; what is under way then is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const underWay = new Set<Promise<void>>()
    try {
      for (let turn = 1; !signal.aborted && this.brokenOff === undefined; turn += 1) {
        if (turn % KNOWN_IN_A_TURN === 0) await setImmediate()
        if (!(await this.#hasRules(signal))) break
        const isFull = underWay.size >= this.#parts.options.connectionsPerHost
        const entry = isFull || this.#begun - this.#settled >= MAX_UNSETTLED ? undefined : this.#queue.shift()
        if (entry !== undefined) {
          const visit = this.#begin(entry, signal)
          if (visit !== undefined) {
            const one: Promise<void> = visit.finally(() => underWay.delete(one))
            underWay.add(one)
          }
        } else if (underWay.size > 0) await Promise.race(underWay)
        else break
      }
      await Promise.all(underWay)
    } finally {
      await Promise.allSettled(underWay)
    }
  }

  close(): void {
    this.#queue.close()
  }

  /** `undefined` for what needs no request. */
  #begin(entry: Entry, signal: AbortSignal): Promise<void> | undefined {
    const number = this.#begun
    this.#begun += 1
    if (!this.#robots.allows(entry.url)) {
      this.#parts.tally.disallowed += 1
      this.#settle(number, entry, undefined)
      return undefined
    }
    const known = this.#known(entry.url)
    if (known === undefined) return this.#visit(number, entry, signal)
    this.#parts.tally.known += 1
    this.#settle(number, entry, known)
    return undefined
  }

  #known(url: string): FetchRecord | undefined {
    const { folder, retriesFailed, startedAt } = this.#parts
    const record = folder.find(url)
    if (record === undefined || !retriesFailed || record.at >= startedAt) return record
    return record.outcome === 'failed' || record.status >= 500 || record.status === 429 ? undefined : record
  }

  async #visit(number: number, entry: Entry, signal: AbortSignal): Promise<void> {
    const { folder, tally } = this.#parts
    const visit = await visitPolitely(entry, this.#parts, signal)
    if (visit.type === 'unreachable') this.brokenOff ??= visit.why
    if (visit.type !== 'done') return
    tally.fetched += 1
    folder.journal.append(visit.record)
    this.#settle(number, entry, visit.record)
  }

  /** RFC 9309 §2.4: what robots.txt says is looked at again after a day. */
  async #hasRules(signal: AbortSignal): Promise<boolean> {
    if (this.#robots.isFresh(Date.now())) return true
    const isFirst = this.#robots.isUnknown
    const why = await this.#robots.read(this.#parts, signal)
    if (why !== undefined) {
      this.brokenOff = why
      return false
    }
    if (signal.aborted) return false
    const { options, politeness } = this.#parts
    const { crawlDelayMs, sitemaps } = this.#robots.rules
    if (crawlDelayMs !== undefined) politeness.slowDown(this.#host, Math.min(crawlDelayMs, options.maxCrawlDelayMs))
    if (!isFirst) return true
    const places = sitemaps.length > 0 ? sitemaps : ['/sitemap.xml']
    const urls = places.flatMap((place) => canonicalUrl(place, this.origin, options) ?? [])
    this.#offerSitemaps(urls, 0)
    return true
  }

  #offerSitemaps(urls: readonly string[], depth: number): void {
    if (depth >= MAX_SITEMAP_DEPTH) return
    for (const url of urls)
      if (url.startsWith(`${this.origin}/`)) this.offer({ url, depth, redirects: 0, isListed: true }, 'sitemap')
  }

  #settle(number: number, entry: Entry, record: FetchRecord | undefined): void {
    this.#unsettled.set(number, { entry, record })
    for (;;) {
      const next = this.#unsettled.get(this.#settled)
      if (next === undefined) return
      this.#unsettled.delete(this.#settled)
      this.#settled += 1
      if (next.record !== undefined) this.#follow(next.entry, next.record)
    }
  }

  #follow(entry: Entry, record: FetchRecord): void {
    const { tally, folder, hashes } = this.#parts
    const { url, outcome, hash, links = [], sitemaps = [] } = record
    const isDuplicate = hash !== undefined && this.#contents.has(hash)
    if (hash !== undefined) {
      this.#contents.set(hash, 1)
      hashes.set(hash, 1)
    }
    tally.settled(record, isDuplicate)
    folder.index.add(record, entry.depth, isDuplicate)
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
    this.#offerSitemaps(
      sitemaps.map((sitemap) => wholeLink(sitemap, new URL(url).origin)),
      depth,
    )
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
