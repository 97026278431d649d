import type { Clock } from 'moorage'
import { canonicalUrl } from './canonical-url.js'
import { CrawlFolder } from './crawl-folder.js'
import type { LinkAway } from './frontier.js'
import { HashTable } from './hash-table.js'
import type { CrawlOptions } from './options.js'
import { Politeness } from './politeness.js'
import { SiteCrawl, type SiteParts } from './site.js'
import { Tally, type Summary } from './tally.js'
import { Visitor } from './visitor.js'

/** A start is a site, and each has tables of its own. */
const MAX_SITES = 1000

export interface CrawlParts {
  readonly folder: string
  readonly starts: readonly string[]
  readonly options: CrawlOptions
  readonly clock: Clock
  /** Begins anew when the last crawl was finished, and asks only for what has changed. */
  readonly revisit: boolean
  readonly retriesFailed: boolean
}

export interface CrawlReport extends Summary {
  /** Nothing is left to do. */
  readonly isFinished: boolean
  /** Sites of which not all could be fetched, and why. */
  readonly brokenOff: readonly string[]
}

/**
 * A crawl of the sites of its start URLs, into a folder. What the journal of the folder knows is not fetched again: a crawl
 * that was stopped or killed goes through it at once, and on from there.
 *
 * Each site is crawled by itself, in an order of its own. Links from one to another wait for the end of the round, so that no
 * site's set depends on how fast another is.
 */
export class Crawl {
  readonly #folder: CrawlFolder
  readonly #parts: SiteParts
  readonly #tally = new Tally()
  readonly #sites = new Map<string, SiteCrawl>()

  /** @throws TypeError for what is no URL of HTTP, and what `CrawlFolder` throws. */
  constructor({ folder, starts, options, clock, revisit, retriesFailed }: CrawlParts) {
    const urls = starts.map((start) => {
      const url = canonicalUrl(start, undefined, options)
      if (url === undefined) throw new TypeError(`Cannot crawl ${JSON.stringify(start)}: it is no URL of HTTP`)
      return url
    })
    this.#folder = new CrawlFolder(folder, { revisit })
    this.#parts = {
      options,
      folder: this.#folder,
      visitor: new Visitor(this.#folder.bodies, options),
      politeness: new Politeness(clock, options),
      tally: this.#tally,
      hashes: new HashTable(),
      retriesFailed,
      startedAt: Date.now(),
      isSite: (origin) => this.#sites.has(origin),
    }
    for (const url of urls) this.#offer({ url, depth: 0, redirects: 0, isStart: true })
  }

  /** What was done so far, and how many URLs wait. */
  get progress(): Summary & { readonly waiting: number } {
    const waiting = [...this.#sites.values()].reduce((sum, site) => sum + site.frontier.waiting, 0)
    return { ...this.#tally.summary, waiting }
  }

  /** Whether this is another visit, whose answers are compared with those of the last. */
  get isRevisit(): boolean {
    return this.#folder.previous !== undefined
  }

  /** Crawls until nothing is left, or the signal is given: then what is under way is waited for. Call it once. */
  async run(signal: AbortSignal): Promise<CrawlReport> {
    let isFinished = false
    try {
      let isMore = true
      while (isMore && !signal.aborted) {
        await this.#runSites(signal)
        isMore = this.#joinSites()
      }
      isFinished = !signal.aborted && this.#brokenOff.length === 0
    } finally {
      await this.#parts.visitor.close()
      for (const site of this.#sites.values()) site.frontier.close()
      this.#folder.close(isFinished, this.#parts.hashes)
    }
    return { ...this.#tally.summary, isFinished, brokenOff: this.#brokenOff }
  }

  /** When one fails, as for a disk that is full, the others end as well. */
  async #runSites(signal: AbortSignal): Promise<void> {
    const failing = new AbortController()
    const either = AbortSignal.any([signal, failing.signal])
    const runs = [...this.#sites.values()].map(async (site) => {
      try {
        await site.run(either)
      } catch (error) {
        failing.abort(error)
        throw error
      }
    })
    await Promise.allSettled(runs)
    await Promise.all(runs)
  }

  get #brokenOff(): readonly string[] {
    return [...this.#sites.values()].flatMap(({ brokenOff }) => brokenOff ?? [])
  }

  /** Hands links between sites over, in an order that does not depend on time. Returns whether one of them is new. */
  #joinSites(): boolean {
    const waitingBefore = this.progress.waiting
    const sitesBefore = this.#sites.size
    const links = [...this.#sites.values()].flatMap((site) => site.frontier.takeLinksAway())
    links.sort((a, b) => a.depth - b.depth || compareTexts(a.url, b.url))
    for (const link of links) this.#offer(link)
    return this.progress.waiting > waitingBefore || this.#sites.size > sitesBefore
  }

  #offer({ url, depth, redirects, isStart }: LinkAway): void {
    const { origin } = new URL(url)
    let site = this.#sites.get(origin)
    if (site === undefined && isStart && this.#sites.size < MAX_SITES) {
      site = new SiteCrawl(origin, this.#sites.size, this.#parts)
      this.#sites.set(origin, site)
    }
    site?.frontier.offer({ url, depth, redirects, isListed: isStart })
  }
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
