import { HashTable } from './hash-table.js'
import type { Bounds } from './options.js'

export type Refusal =
  | 'known'
  | 'too deep'
  | 'too long'
  | 'too many segments'
  | 'repeated segments'
  | 'too many redirects'
  | 'too many pages'
  | 'too many of its pattern'
  | 'too many in its depths'
  | 'too many kinds of query'

export interface Found {
  readonly url: string
  readonly depth: number
  readonly redirects: number
  /** In a sitemap: the site vouches for it. */
  readonly isListed: boolean
}

/**
 * Which of the URLs that are found in a site are asked for: each once, and of what has no end only so many. What it answers
 * depends on what it was asked before, and so a site asks in an order that is the same in each run.
 */
export class Admission {
  readonly #bounds: Bounds
  readonly #known = new HashTable()
  /** How many of each pattern, how many kinds of query of each path, and how many far below each folder. */
  readonly #counts = new HashTable()

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#known.size
  }

  /** `undefined`: it is asked for, and from now on known. */
  admit({ url, depth, redirects, isListed }: Found): Refusal | undefined {
    const { maxPages, maxDepth, maxUrlLength, maxRedirects } = this.#bounds
    if (url.length > maxUrlLength) return 'too long'
    if (this.#known.has(url)) return 'known'
    if (depth > maxDepth) return 'too deep'
    if (redirects > maxRedirects) return 'too many redirects'
    const { pathname, search } = new URL(url)
    const refusal = this.#refusalOfPath(pathname)
    if (refusal !== undefined) return refusal
    if (this.#known.size >= maxPages) return 'too many pages'
    return (isListed ? undefined : this.#refusalOfPattern(pathname, search)) ?? this.#add(url)
  }

  #add(url: string): undefined {
    this.#known.set(url, 1)
  }

  /** Relative links that lead deeper and deeper. */
  #refusalOfPath(pathname: string): Refusal | undefined {
    const { maxSegments, maxRepeats } = this.#bounds
    const segments = pathname.split('/').filter((segment) => segment !== '')
    if (segments.length > maxSegments) return 'too many segments'
    const counts = new Map<string, number>()
    for (const segment of segments) {
      const count = (counts.get(segment) ?? 0) + 1
      if (count > maxRepeats) return 'repeated segments'
      counts.set(segment, count)
    }
    return undefined
  }

  /** Calendars, filters in all combinations, ids of sessions in paths, mazes. */
  #refusalOfPattern(pathname: string, search: string): Refusal | undefined {
    const { maxPerPattern, maxQueryKinds, maxInDepths } = this.#bounds
    const path = patternOf(pathname)
    const names = namesOf(search)
    const pattern = `${path}?${names}`
    const count = this.#counts.get(pattern) ?? 0
    if (count >= maxPerPattern) return 'too many of its pattern'
    const folder = deepFolderOf(pathname)
    const below = folder === undefined ? 0 : (this.#counts.get(folder) ?? 0)
    if (below >= maxInDepths) return 'too many in its depths'
    if (count === 0 && names !== '') {
      const kinds = this.#counts.get(path) ?? 0
      if (kinds >= maxQueryKinds) return 'too many kinds of query'
      this.#counts.set(path, kinds + 1)
    }
    if (folder !== undefined) this.#counts.set(folder, below + 1)
    this.#counts.set(pattern, count + 1)
    return undefined
  }
}

/** A word with a digit in it stands for all such: numbers, dates, ids. */
export const patternOf = (pathname: string): string =>
  pathname.replace(/[\da-z]+/gi, (word) => (/\d/.test(word) ? '0' : word))

/** The first two segments of a path that has more than four: mazes are deep, and most sites are not. */
const deepFolderOf = (pathname: string): string | undefined =>
  /^(\/[^/]*\/[^/]*\/)(?:[^/]+\/){2}[^/]/.exec(pathname)?.[1]

const namesOf = (search: string): string =>
  search
    .slice(1)
    .split('&')
    .map((parameter) => parameter.split('=', 1)[0])
    .sort()
    .join('&')
