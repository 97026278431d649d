// RFC 9309. The packages that do this were weighed, see docs/DEPENDENCIES.md.
import { normalPercents } from './percent-encoding.js'

/** RFC 9309 §2.5: at least so much must be read. */
export const MAX_ROBOTS_BYTES = 500 * 1024
const MAX_SITEMAPS = 100

interface Rule {
  readonly isAllowed: boolean
  /** What stands between the `*`. */
  readonly pieces: readonly string[]
  /** It ends with `$`. */
  readonly isWhole: boolean
  /** RFC 9309 §2.2.2: the rule with the most octets counts. */
  readonly octets: number
}

/** What one crawler may fetch of a site. */
export class Robots {
  readonly #rules: readonly Rule[]
  /** Not of the RFC, and in use: milliseconds between requests, or `undefined`. */
  readonly crawlDelayMs: number | undefined
  readonly sitemaps: readonly string[]

  constructor(rules: readonly Rule[], crawlDelayMs: number | undefined, sitemaps: readonly string[]) {
    this.#rules = rules
    this.crawlDelayMs = crawlDelayMs
    this.sitemaps = sitemaps
  }

  /** RFC 9309 §2.2.2: of the rules that match, the longest; of two as long, the one that allows; without one, yes. */
  allows(url: URL): boolean {
    if (url.pathname === '/robots.txt') return true
    const path = normalPath(url.pathname + url.search)
    let best: Rule | undefined
    for (const rule of this.#rules) {
      const isBetter =
        best === undefined || rule.octets > best.octets || (rule.octets === best.octets && rule.isAllowed)
      if (isBetter && matches(rule, path)) best = rule
    }
    return best?.isAllowed ?? true
  }
}

/** RFC 9309 §2.3.1.3: there is no file, so all is allowed. */
export const ALL_ALLOWED: Robots = new Robots([], undefined, [])

interface Group {
  readonly rules: Rule[]
  crawlDelayMs: number | undefined
}

/**
 * The rules for the crawler with this product token (RFC 9309 §2.2.1): those of all groups that name it, or else of all
 * groups for `*`. Never throws: what is no record is passed over.
 */
export function parseRobots(text: string, product: string): Robots {
  const own: Group = { rules: [], crawlDelayMs: undefined }
  const others: Group = { rules: [], crawlDelayMs: undefined }
  const sitemaps: string[] = []
  let isNamed = false
  let current = new Set<Group>()
  let isInRules = false
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    const [, key = '', value = ''] = /^\s*([a-z-]+)\s*:\s*([^#]*)/i.exec(line) ?? []
    switch (key.toLowerCase()) {
      case 'user-agent': {
        if (isInRules) current = new Set()
        isInRules = false
        const name = /^[a-z_-]+/i.exec(value)?.[0].toLowerCase()
        if (name === product.toLowerCase()) current.add(own)
        else if (/^\*(\s|$)/.test(value)) current.add(others)
        isNamed ||= current.has(own)
        break
      }
      case 'allow':
      case 'disallow': {
        isInRules = true
        const rule = tryMakeRule(value.trim(), key.toLowerCase() === 'allow')
        if (rule !== undefined) for (const group of current) group.rules.push(rule)
        break
      }
      // RFC 9309 §2.2.4: other records do not end a group.
      case 'crawl-delay': {
        const seconds = Number(value)
        if (value.trim() !== '' && seconds >= 0) for (const group of current) group.crawlDelayMs = 1000 * seconds
        break
      }
      case 'sitemap':
        if (sitemaps.length < MAX_SITEMAPS && value.trim() !== '') sitemaps.push(value.trim())
        break
    }
  }
  const { rules, crawlDelayMs } = isNamed ? own : others
  return new Robots(rules, crawlDelayMs, sitemaps)
}

/** An empty path is no rule. */
function tryMakeRule(pattern: string, isAllowed: boolean): Rule | undefined {
  if (pattern === '') return undefined
  const isWhole = pattern.endsWith('$')
  const encoded = normalPercents(encodeRest(pattern))
  const pieces = (isWhole ? encoded.slice(0, -1) : encoded).split(/\*+/).map((piece) => piece.replaceAll('$', '%24'))
  return { isAllowed, pieces, isWhole, octets: encoded.length }
}

/** RFC 9309 §2.2.2: octets outside of ASCII are compared in their encoded form. */
const encodeRest = (text: string): string =>
  text.replace(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run.replace(/\p{Surrogate}/gu, '\uFFFD')))

/** RFC 9309 §2.2.3: in a path the special characters stand for themselves, which a rule writes as `%2A` and `%24`. */
const normalPath = (path: string): string =>
  normalPercents(encodeRest(path)).replaceAll('*', '%2A').replaceAll('$', '%24')

function matches({ pieces, isWhole }: Rule, path: string): boolean {
  const [first = '', ...rest] = pieces
  if (!path.startsWith(first)) return false
  let at = first.length
  const last = isWhole ? rest.pop() : undefined
  for (const piece of rest) {
    const found = path.indexOf(piece, at)
    if (found === -1) return false
    at = found + piece.length
  }
  if (!isWhole) return true
  return last === undefined ? at === path.length : path.length - last.length >= at && path.endsWith(last)
}
