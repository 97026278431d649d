import { UsageError } from '../../base/errors.js'
import { parsed } from './_refuse.js'
import { tryParseList } from './list.js'

/** Bytes from `start` to before `end`: `end` is one more than the last position that RFC 9110 writes. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** More ranges than this, after those that touch were joined, are answered with the whole. Apache's limit is 200. */
export const MAX_RANGES = 16

export type RangeOutcome =
  /** 206 (Partial Content) with these, in the order they were asked for. */
  | readonly ByteRange[]
  /** Take no notice of the field: 200 and everything. */
  | 'whole'
  /** 416 (Range Not Satisfiable), with `formatContentRange(undefined, size)`. */
  | 'unsatisfiable'

const UNIT = /^bytes=/i
const SPEC = /^(\d*)-(\d*)$/
const LEADING_ZEROS = /^0+(?=\d)/

/** Compares numbers of any length, without leading zeros. */
const isLess = (left: string, right: string): boolean =>
  left.length === right.length ? left < right : left.length < right.length

/**
 * RFC 9110 §14.1.2 and §14.2: what a Range field asks for of `size` bytes. Ranges that overlap or touch are joined, in the
 * place of the one that came first (§15.3.7.2), so nothing is sent twice, whatever is asked for.
 *
 * A malformed field is to be ignored, one of another unit too, and so is one with more than `maxRanges` after joining, or
 * more than 100 before: all give `'whole'`.
 */
export function resolveRanges(value: string, size: number, maxRanges: number = MAX_RANGES): RangeOutcome {
  const specs = UNIT.test(value) ? tryParseList(value.slice('bytes='.length)) : undefined
  if (specs === undefined || specs.length === 0) return 'whole'
  const found: ByteRange[] = []
  let isWhole = false
  for (const spec of specs) {
    const [, first, last] = SPEC.exec(spec) ?? []
    if (first === undefined || last === undefined || (first === '' && last === '')) return 'whole'
    const range = first === '' ? lastBytes(last, size) : bytesBetween(first, last, size)
    if (range === undefined) return 'whole'
    // The last bytes of nothing are nothing, which no Content-Range can tell.
    if (first === '' && size === 0 && Number(last) > 0) isWhole = true
    if (range.end > range.start) found.push(range)
  }
  if (isWhole) return 'whole'
  if (found.length === 0) return 'unsatisfiable'
  const joined = joinRanges(found)
  return joined.length > maxRanges ? 'whole' : joined
}

/** A suffix: more than there are is all of them. */
function lastBytes(digits: string, size: number): ByteRange {
  const count = Math.min(Number(digits), size)
  return { start: size - count, end: size }
}

/** Without bytes when it begins behind the end; `undefined` when it ends before it begins, which makes it malformed. */
function bytesBetween(firstDigits: string, lastDigits: string, size: number): ByteRange | undefined {
  const [first, last] = [firstDigits, lastDigits].map((digits) => digits.replace(LEADING_ZEROS, ''))
  if (first === undefined || last === undefined || (last !== '' && isLess(last, first))) return undefined
  const start = Math.min(Number(first), size)
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

/** Joins what overlaps or touches, in the order in which the first of each was asked for. */
function joinRanges(ranges: readonly ByteRange[]): readonly ByteRange[] {
  if (ranges.length === 1) return ranges
  const joined: { start: number; end: number; place: number }[] = []
  const sorted = ranges.map((range, place) => ({ ...range, place })).sort((a, b) => a.start - b.start)
  for (const range of sorted) {
    const before = joined.at(-1)
    if (before === undefined || range.start > before.end) {
      joined.push(range)
    } else {
      before.end = Math.max(before.end, range.end)
      before.place = Math.min(before.place, range.place)
    }
  }
  return joined.sort((a, b) => a.place - b.place).map(({ start, end }) => ({ start, end }))
}

/** What a Content-Range tells: a part, a size, or both. */
export interface ContentRange {
  /** `undefined` in an answer of 416. */
  readonly range: ByteRange | undefined
  /** Of the whole; `undefined` when it is not known. */
  readonly size: number | undefined
}

const CONTENT_RANGE = /^bytes (?:(\d{1,16})-(\d{1,16})|\*)\/(?:(\d{1,16})|\*)$/i

/**
 * RFC 9110 §14.4: `bytes 0-4/10`, with `*` for a size that is not known, or `bytes *` and a size for 416. `undefined` for
 * another unit, for a number beyond 2^53 - 1, for a range that ends before it begins or behind the size: it is ignored then,
 * and nothing may be put together from it.
 */
export function tryParseContentRange(value: string): ContentRange | undefined {
  const found = CONTENT_RANGE.exec(value)
  if (found === null) return undefined
  const [, first, last, digits] = found
  const size = digits === undefined ? undefined : Number(digits)
  if (size !== undefined && !isCount(size)) return undefined
  if (first === undefined || last === undefined) return size === undefined ? undefined : { range: undefined, size }
  const range = { start: Number(first), end: Number(last) + 1 }
  return isRange(range) && isWithin(range, size) ? { range, size } : undefined
}

/** As `tryParseContentRange`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseContentRange(value: string): ContentRange {
  return parsed(tryParseContentRange(value), 'Content-Range', value, 'RFC 9110 §14.4')
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
const isRange = ({ start, end }: ByteRange): boolean => isCount(start) && isCount(end) && start < end
const isWithin = ({ end }: ByteRange, size: number | undefined): boolean => size === undefined || end <= size

/**
 * RFC 9110 §14.4, the value for 206; without a range the one for 416.
 * @throws UsageError `ERR_ARGUMENT` for a range without bytes, one that ends behind the size, and neither range nor size.
 */
export function formatContentRange(range: ByteRange | undefined, size: number | undefined): string {
  const isRight =
    (size === undefined ? range !== undefined : isCount(size)) &&
    (range === undefined || (isRange(range) && isWithin(range, size)))
  if (!isRight) throw new UsageError('ERR_ARGUMENT', 'Cannot format Content-Range: the range is not one of the size')
  return `bytes ${range === undefined ? '*' : `${range.start}-${range.end - 1}`}/${size ?? '*'}`
}
