import { tryParseDate } from './date.js'
import { isStrongMatch, isWeakMatch, tryParseEntityTag, tryParseEntityTags, type EntityTag } from './etag.js'
import type { FieldSource } from './fields.js'

/** What a target has at the moment, before the method does anything. */
export interface CurrentRepresentation {
  /** Whether there is any. */
  readonly exists: boolean
  readonly etag?: EntityTag | undefined
  /** What Last-Modified is made of. What is less than a second of it counts for nothing. */
  readonly lastModifiedMs?: number | undefined
}

/** Do what the method asks for; answer 304 (Not Modified); answer 412 (Precondition Failed). */
export type PreconditionOutcome = 'proceed' | 'not-modified' | 'failed'

const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000

/**
 * RFC 9110 §13.2.2: the conditions of a request, in the order of that section: If-Match, or else If-Unmodified-Since; then
 * If-None-Match, or else If-Modified-Since. Ask only when the answer without conditions would be a 2xx (§13.2.1), and go on
 * with `rangeApplies` for a request with Range.
 *
 * A malformed date is ignored, as its sections want. A malformed list of tags matches nothing; so that nothing is
 * overwritten by mistake, a malformed If-None-Match also fails every method but GET and HEAD.
 *
 * `nowMs` is for dates with years of two digits.
 */
export function evaluatePreconditions(
  method: string,
  fields: FieldSource,
  current: CurrentRepresentation,
  nowMs: number,
): PreconditionOutcome {
  // §13.2.1: these neither select nor change a representation.
  if (method === 'CONNECT' || method === 'OPTIONS' || method === 'TRACE') return 'proceed'
  const isRead = method === 'GET' || method === 'HEAD'
  const ifMatch = fields.get('if-match')
  const ifNoneMatch = fields.get('if-none-match')
  if (ifMatch === undefined) {
    if (isModifiedSince(fields.get('if-unmodified-since'), current, nowMs) === true) return 'failed'
  } else if (!matches(ifMatch, current, isStrongMatch)) {
    return 'failed'
  }
  if (ifNoneMatch === undefined) {
    const isUnchanged = isRead && isModifiedSince(fields.get('if-modified-since'), current, nowMs) === false
    return isUnchanged ? 'not-modified' : 'proceed'
  }
  if (isRead) return matches(ifNoneMatch, current, isWeakMatch) ? 'not-modified' : 'proceed'
  const mayBeThere = tryParseEntityTags(ifNoneMatch) === undefined || matches(ifNoneMatch, current, isWeakMatch)
  return mayBeThere ? 'failed' : 'proceed'
}

/** RFC 9110 §13.1.1 and §13.1.2: `*` matches whatever exists. */
function matches(value: string, current: CurrentRepresentation, isMatch: typeof isWeakMatch): boolean {
  const tags = tryParseEntityTags(value)
  if (!current.exists || tags === undefined) return false
  if (tags === '*') return true
  const { etag } = current
  return etag !== undefined && tags.some((tag) => isMatch(tag, etag))
}

/** RFC 9110 §13.1.3 and §13.1.4; `undefined` where the field is to be ignored, or is not there. */
function isModifiedSince(
  value: string | undefined,
  { exists, lastModifiedMs }: CurrentRepresentation,
  nowMs: number,
): boolean | undefined {
  if (value === undefined || !exists || lastModifiedMs === undefined) return undefined
  const date = tryParseDate(value, nowMs)
  return date === undefined ? undefined : wholeSeconds(lastModifiedMs) > date
}

/**
 * RFC 9110 §14.2 and §13.1.5: whether the Range field of a request counts; if not, the whole representation is the answer.
 * It does for GET alone, and only when If-Range, where there is one, names just what there is: by a strong tag, or by the
 * very date of the last change. A date says so only when its second was over at `nowMs`: within one, there may be another
 * change (§8.8.2.2). A malformed If-Range names nothing.
 */
export function rangeApplies(
  method: string,
  fields: FieldSource,
  { exists, etag, lastModifiedMs }: CurrentRepresentation,
  nowMs: number,
): boolean {
  if (method !== 'GET' || !exists || fields.get('range') === undefined) return false
  const value = fields.get('if-range')
  if (value === undefined) return true
  const tag = tryParseEntityTag(value)
  if (tag !== undefined) return etag !== undefined && isStrongMatch(tag, etag)
  const date = tryParseDate(value, nowMs)
  if (date === undefined || lastModifiedMs === undefined) return false
  return date === wholeSeconds(lastModifiedMs) && date + 1000 <= nowMs
}
