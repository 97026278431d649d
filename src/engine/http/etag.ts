import { checkArgument, parsed } from './_refuse.js'
import { COMMA, QUOTE, Scanner } from './_scanner.js'
import { byteSet, isMadeOf, type ByteSet } from './characters.js'
import { MAX_LIST_MEMBERS } from './list.js'

/** RFC 9110 §8.8.3. */
export interface EntityTag {
  /** What stands between the quotes; nothing in it is escaped. */
  readonly value: string
  /** It names a meaning, not bytes: what it stands for may differ in detail from one time to another. */
  readonly weak: boolean
}

/** RFC 9110 §8.8.3: what is visible, but no quote. */
const TAG_BYTES: ByteSet = byteSet('!', [0x23, 0x7e], [0x80, 0xff])

const CAPITAL_W = 0x57
const SLASH = 0x2f
const ASTERISK = '*'

function readTag(scanner: Scanner): EntityTag | undefined {
  const weak = scanner.take(CAPITAL_W)
  if (weak && !scanner.take(SLASH)) return undefined
  if (!scanner.take(QUOTE)) return undefined
  const value = scanner.takeAll(TAG_BYTES)
  return scanner.take(QUOTE) ? { value, weak } : undefined
}

/** One entity tag, as ETag and If-Range have it; `undefined` when it is malformed. The `W` is a capital. */
export function tryParseEntityTag(value: string): EntityTag | undefined {
  const scanner = new Scanner(value)
  const tag = readTag(scanner)
  return scanner.isDone ? tag : undefined
}

/** As `tryParseEntityTag`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseEntityTag(value: string): EntityTag {
  return parsed(tryParseEntityTag(value), 'entity tag', value, 'RFC 9110 §8.8.3')
}

/**
 * RFC 9110 §13.1.1 and §13.1.2: the tags of If-Match or If-None-Match, at most 100, or `*`. `undefined` when it is
 * malformed: what that means differs, see `evaluatePreconditions`.
 */
export function tryParseEntityTags(value: string): typeof ASTERISK | readonly EntityTag[] | undefined {
  if (value === ASTERISK) return ASTERISK
  const scanner = new Scanner(value)
  const tags: EntityTag[] = []
  for (let count = 1; count <= MAX_LIST_MEMBERS; count += 1) {
    scanner.skipSpace()
    if (!scanner.isDone && scanner.next !== COMMA) {
      const tag = readTag(scanner)
      if (tag === undefined) return undefined
      tags.push(tag)
      scanner.skipSpace()
    }
    if (scanner.isDone) return tags
    if (!scanner.take(COMMA)) return undefined
  }
  return undefined
}

/** As `tryParseEntityTags`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseEntityTags(value: string): typeof ASTERISK | readonly EntityTag[] {
  return parsed(tryParseEntityTags(value), 'entity tags', value, 'RFC 9110 §13.1.1')
}

/** @throws UsageError `ERR_ARGUMENT` for a value with a quote, a space, a control character, or one above U+00FF. */
export function formatEntityTag({ value, weak }: EntityTag): string {
  checkArgument(isMadeOf(value, TAG_BYTES), 'entity tag', value, 'visible characters without a quote')
  return weak ? `W/"${value}"` : `"${value}"`
}

/** RFC 9110 §8.8.3.2: the bytes are the same. A weak tag is never strongly equal to anything, not to itself either. */
export const isStrongMatch = (left: EntityTag, right: EntityTag): boolean =>
  !left.weak && !right.weak && left.value === right.value

/** RFC 9110 §8.8.3.2: the meaning is the same. */
export const isWeakMatch = (left: EntityTag, right: EntityTag): boolean => left.value === right.value
