import { setImmediate } from 'node:timers/promises'
import { canonicalUrl } from './canonical-url.js'
import type { CrawlFolder } from './crawl-folder.js'
import { Frontier, type Numbered } from './frontier.js'
import type { HashTable } from './hash-table.js'
import { productOf, type CrawlOptions } from './options.js'
import type { Politeness } from './politeness.js'
import type { FetchRecord } from './record.js'
import { RobotsFile } from './robots-file.js'
import type { Tally } from './tally.js'
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

/** Known URLs between which others get their turn. */
const KNOWN_IN_A_TURN = 256

/** The crawl of one site (origin): its robots.txt first, then what its frontier has. */
export class SiteCrawl {
  readonly frontier: Frontier
  readonly #host: string
  readonly #parts: SiteParts
  readonly #robots: RobotsFile
  /** Why nothing more of this site can be fetched in this run. */
  brokenOff: string | undefined

  constructor(origin: string, number: number, parts: SiteParts) {
    const { options, politeness, folder, tally, hashes, isSite } = parts
    this.#host = new URL(origin).hostname
    this.#parts = parts
    this.#robots = new RobotsFile(origin, productOf(options.userAgent))
    this.frontier = new Frontier(origin, {
      options,
      tally,
      queuePath: folder.queuePath(number),
      isSite,
      settled: (entry, record, isDuplicate) => {
        tally.settled(record, isDuplicate)
        folder.index.add(record, entry.depth, isDuplicate)
        if (record.hash !== undefined) hashes.set(record.hash, 1)
      },
    })
    politeness.know(this.#host)
  }

  /** Until nothing waits, the site cannot be reached, or the signal is given; what is under way then is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const underWay = new Set<Promise<void>>()
    try {
      for (let turn = 1; !signal.aborted && this.brokenOff === undefined; turn += 1) {
        if (turn % KNOWN_IN_A_TURN === 0) await setImmediate()
        if (!(await this.#hasRules(signal))) break
        const isFull = underWay.size >= this.#parts.options.connectionsPerHost
        const next = isFull ? undefined : this.frontier.take()
        if (next !== undefined) {
          const visit = this.#begin(next, signal)
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

  /** `undefined` for what needs no request. */
  #begin(next: Numbered, signal: AbortSignal): Promise<void> | undefined {
    const { url } = next.entry
    if (!this.#robots.allows(url)) {
      this.#parts.tally.disallowed += 1
      this.frontier.settle(next, undefined)
      return undefined
    }
    const known = this.#known(url)
    if (known === undefined) return this.#visit(next, signal)
    this.#parts.tally.known += 1
    this.frontier.settle(next, known)
    return undefined
  }

  #known(url: string): FetchRecord | undefined {
    const { folder, retriesFailed, startedAt } = this.#parts
    const record = folder.find(url)
    if (record === undefined || !retriesFailed || record.at >= startedAt) return record
    return record.outcome === 'failed' || record.status >= 500 || record.status === 429 ? undefined : record
  }

  async #visit(next: Numbered, signal: AbortSignal): Promise<void> {
    const { folder, tally } = this.#parts
    const visit = await visitPolitely(next.entry, this.#parts, signal)
    if (visit.type === 'unreachable') this.brokenOff ??= visit.why
    if (visit.type !== 'done') return
    tally.fetched += 1
    folder.journal.append(visit.record)
    this.frontier.settle(next, visit.record)
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
    const urls = places.flatMap((place) => canonicalUrl(place, this.frontier.origin, options) ?? [])
    this.frontier.offerSitemaps(urls, 0)
    return true
  }
}
