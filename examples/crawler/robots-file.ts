import { ALL_ALLOWED, parseRobots, type Robots } from './robots.js'
import { wholeLink, type FetchRecord } from './record.js'
import { visitPolitely, type VisitParts } from './visits.js'

/** RFC 9309 §2.4. */
const FRESH_MS = 24 * 60 * 60 * 1000
/** RFC 9309 §2.3.1.2. */
const MAX_REDIRECTS = 5

/** The robots.txt of a site: fetched before anything else of it, and once a day. */
export class RobotsFile {
  readonly #url: string
  readonly #origin: string
  readonly #product: string
  #rules: Robots | undefined
  #readAt = 0

  constructor(origin: string, product: string) {
    this.#url = `${origin}/robots.txt`
    this.#origin = origin
    this.#product = product
  }

  get isUnknown(): boolean {
    return this.#rules === undefined
  }

  get rules(): Robots {
    return this.#rules ?? ALL_ALLOWED
  }

  isFresh(now: number): boolean {
    return this.#rules !== undefined && now - this.#readAt < FRESH_MS
  }

  allows(url: string): boolean {
    return this.rules.allows(new URL(url))
  }

  /** Resolves with the reason why nothing may be fetched, or `undefined`. */
  async read(parts: VisitParts, signal: AbortSignal): Promise<string | undefined> {
    const { journal } = parts.folder
    const known = journal.find(this.#url)
    if (known?.outcome === 'robots' && Date.now() - known.at < FRESH_MS) {
      this.#use(known)
      return undefined
    }
    const record = await this.#fetch(parts, signal)
    if (record === undefined) return undefined
    if (typeof record === 'string') return record
    const { status } = record
    // RFC 9309 §2.3.1.4: a server that cannot say what is allowed allows nothing.
    if (record.outcome === 'failed' || status >= 500 || status === 429)
      return `Cannot crawl ${this.#origin}: its robots.txt cannot be read (${record.why ?? `status ${status}`})`
    const own: FetchRecord = { ...record, url: this.#url, outcome: 'robots' }
    journal.append(own)
    this.#use(own)
    return undefined
  }

  /** The record of where redirects lead; a text when there is none, `undefined` when the crawl was stopped. */
  async #fetch(parts: VisitParts, signal: AbortSignal): Promise<FetchRecord | string | undefined> {
    let url = this.#url
    for (let redirects = 0; ; redirects += 1) {
      const visit = await visitPolitely({ url, kind: 'robots', depth: 0, redirects }, parts, signal)
      if (visit.type === 'stopped') return undefined
      if (visit.type === 'unreachable') return `Cannot crawl ${this.#origin}: ${visit.why}`
      const { outcome, links: [link] = [] } = visit.record
      // RFC 9309 §2.3.1.2: beyond five it counts as not there.
      if (outcome !== 'redirect' || link === undefined || redirects === MAX_REDIRECTS) return visit.record
      url = wholeLink(link, new URL(url).origin)
    }
  }

  /** RFC 9309 §2.3.1.3: without a file all is allowed. */
  #use({ text, at }: FetchRecord): void {
    this.#rules = text === undefined ? ALL_ALLOWED : parseRobots(text, this.#product)
    this.#readAt = at
  }
}
