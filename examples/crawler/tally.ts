import type { Refusal } from './admission.js'
import type { FetchRecord, Outcome } from './record.js'

/** What a crawl has done. */
export interface Summary {
  /** URLs that were asked for in this run, and those that an earlier one knew. */
  readonly fetched: number
  readonly known: number
  readonly bytes: number
  /** Pages whose content another page of the site has too. */
  readonly duplicates: number
  /** Pages that are as they were on the last visit. */
  readonly unchanged: number
  /** URLs that robots.txt does not allow. */
  readonly disallowed: number
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>
  /** Links that were not followed, and why. */
  readonly refused: Readonly<Partial<Record<Refusal, number>>>
}

/** Counts along. */
export class Tally {
  readonly #outcomes = new Map<Outcome, number>()
  readonly #refused = new Map<Refusal, number>()
  fetched = 0
  known = 0
  disallowed = 0
  #bytes = 0
  #duplicates = 0
  #unchanged = 0

  settled({ outcome, bytes = 0, isUnchanged = false }: FetchRecord, isDuplicate: boolean): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1)
    this.#bytes += bytes
    if (isDuplicate) this.#duplicates += 1
    if (isUnchanged) this.#unchanged += 1
  }

  refused(why: Refusal): void {
    this.#refused.set(why, (this.#refused.get(why) ?? 0) + 1)
  }

  get summary(): Summary {
    return {
      fetched: this.fetched,
      known: this.known,
      bytes: this.#bytes,
      duplicates: this.#duplicates,
      unchanged: this.#unchanged,
      disallowed: this.disallowed,
      outcomes: Object.fromEntries(this.#outcomes),
      refused: Object.fromEntries(this.#refused),
    }
  }
}

/** For people: a few lines. */
export function formatSummary({ outcomes, refused, ...counts }: Summary): string {
  const megabytes = (counts.bytes / 1e6).toFixed(1)
  const list = (pairs: Readonly<Partial<Record<string, number>>>): string =>
    Object.entries(pairs)
      .filter(([name]) => name !== 'known')
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')
  return [
    `${counts.fetched} fetched, ${counts.known} known before; ${list(outcomes) || 'nothing'}; ${megabytes} MB`,
    `${counts.duplicates} have the content of another page, ${counts.unchanged} are unchanged, ${counts.disallowed} are not allowed by robots.txt`,
    `links not followed: ${list(refused) || 'none'}`,
  ].join('\n')
}
