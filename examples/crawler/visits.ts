import type { CrawlFolder } from './crawl-folder.js'
import type { CrawlOptions } from './options.js'
import type { Politeness } from './politeness.js'
import type { FetchRecord } from './record.js'
import type { Entry } from './url-queue.js'
import type { Visitor } from './visitor.js'

export type PoliteVisit =
  | { readonly type: 'done'; readonly record: FetchRecord }
  | { readonly type: 'unreachable'; readonly why: string }
  /** The crawl was stopped before the request began. */
  | { readonly type: 'stopped' }

export interface VisitParts {
  readonly options: CrawlOptions
  readonly folder: CrawlFolder
  readonly visitor: Visitor
  readonly politeness: Politeness
}

/** Asks for a URL when its host may be asked, and again, later, where that may help. */
export async function visitPolitely(
  entry: Entry,
  { options, folder, visitor, politeness }: VisitParts,
  signal: AbortSignal,
): Promise<PoliteVisit> {
  const { retries, retryWaitMs, maxRetryAfterMs } = options
  const host = new URL(entry.url).hostname
  for (let tries = 0; ; tries += 1) {
    try {
      await politeness.enter(host, signal)
    } catch (error) {
      if (signal.aborted) return { type: 'stopped' }
      throw error
    }
    try {
      const visit = await visitor.visit(entry, folder.previous?.find(entry.url))
      if (visit.type === 'done') return visit
      // It is the host that is tired, and not the page: nothing else is asked of it either.
      const told = visit.type === 'later' ? Math.min(visit.waitMs ?? 0, maxRetryAfterMs) : 0
      const isLast = tries >= retries
      politeness.pause(host, isLast ? told : Math.max(told, retryWaitMs * 2 ** tries))
      if (isLast) return visit.type === 'later' ? { type: 'done', record: visit.record } : visit
    } finally {
      politeness.leave(host)
    }
  }
}
