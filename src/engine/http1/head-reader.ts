import { COLON, CR, isDigit, LF, SPACE } from '../../base/ascii.js'
import type { LimitCode } from '../../base/codes.js'
import { isSpace, QUERY_BYTES, TARGET_BYTES, TOKEN_BYTES, VALUE_BYTES } from '../http/characters.js'
import { SPAN } from '../http/fields.js'
import { refuse, refuseSize, shownAt, shownByte } from './refuse.js'

const TAB = 0x09
/** `HTTP/1.` */
const VERSION = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e] as const
const MAJOR_AT = 5
const BACKSLASH = 0x5c
const QUESTION_MARK = 0x3f
/** More of an unknown method is not looked at. */
const MAX_METHOD_BYTES = 64

export interface HeadLimits {
  readonly maxStartLineBytes: number
  readonly maxFieldBytes: number
  readonly maxFieldsBytes: number
  readonly maxFields: number
}

/** What a head begins with: that of a request, of a response, or nothing, as trailers do. */
export type HeadKind = 'request' | 'response' | 'trailers'

/** Where in a line the reading stands. What is short is looked at again from its beginning, the rest goes on. */
type Part = 'line' | 'method' | 'target' | 'query' | 'version' | 'reason' | 'name' | 'blank' | 'value' | 'ending'

/**
 * Reads the lines of a head, each byte once, however they are cut. Places are counted from the beginning of the head.
 *
 * Strict (RFC 9112 §2.2, §5): every line ends with CR LF; a CR or LF elsewhere, a space before the colon, a folded line, a
 * control character and an empty name are refused, as each of them was read differently by two parsers once.
 *
 * A line is never looked at past the place where it would be too long, so that it does not depend on the cuts which of
 * two faults is found.
 */
export class HeadReader {
  readonly #kind: HeadKind
  readonly limits: HeadLimits
  /** Name start, name end, value start, value end, of each field. */
  spans: number[] = []
  /** Of a request: where method and target end. Of a response: where the status and the reason do. */
  firstEnd: number = 0
  secondEnd: number = 0
  /** Where the start line begins: behind a blank line, perhaps. */
  start: number = 0
  status: number = 0
  minorVersion: number = 1
  #part: Part = 'line'
  #isStartLine: boolean
  /** Where the line begins, and up to where it was read. */
  #line = 0
  #at = 0
  #nameEnd = 0
  #value = 0
  #valueEnd = 0
  #fieldsStart = 0

  constructor(kind: HeadKind, limits: HeadLimits) {
    this.#kind = kind
    this.limits = limits
    this.#isStartLine = kind !== 'trailers'
  }

  /** Makes it ready for the next head. */
  restart(): void {
    this.spans = []
    this.start = 0
    this.#part = 'line'
    this.#isStartLine = this.#kind !== 'trailers'
    this.#line = 0
    this.#at = 0
    this.#fieldsStart = 0
  }

  /**
   * Reads on in a head that begins at `from` and of which the bytes up to `to` are there. Returns where it ends, or -1
   * when more is needed: call it again with the same bytes and more, at whatever place.
   * @throws ProtocolError, LimitError with `details.status`.
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    if (this.#isStartLine && !this.#readStart(bytes, from, to)) return -1
    for (;;) {
      if (this.#part === 'line') {
        const line = from + this.#line
        if (line >= to) return -1
        if (bytes[line] === CR) return lineEnd(bytes, line, to)
        if (this.spans.length >= this.limits.maxFields * SPAN) throw this.#tooManyFields()
        this.#part = 'name'
        this.#at = this.#line
      }
      // RFC 9112 §2.2: two bytes more are its ending.
      const stop = from + this.#line + this.#fieldRoom() + 2
      if (this.#readField(bytes, from, stop < to ? stop : to)) continue
      if (stop <= to) throw this.#longField()
      return -1
    }
  }

  #readStart(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#part === 'line') {
      const line = from + this.#line
      if (line >= to) return false
      // Where a request may begin, one blank line is passed over, and only one (RFC 9112 §2.2).
      if (bytes[line] === CR && this.#kind === 'request' && this.#line === 0) {
        const end = lineEnd(bytes, line, to)
        if (end === -1) return false
        this.#line = end - from
        this.start = this.#line
        return this.#readStart(bytes, from, to)
      }
      this.#part = this.#kind === 'request' ? 'method' : 'version'
      this.#at = this.#line
    }
    const limit = from + this.#line + this.limits.maxStartLineBytes + 2
    const stop = limit < to ? limit : to
    const end = this.#kind === 'request' ? this.#requestLine(bytes, from, stop) : this.#statusLine(bytes, from, stop)
    if (end === -1) {
      if (limit <= to) throw this.#longStart()
      return false
    }
    this.#nextLine(end - from)
    this.#isStartLine = false
    this.#fieldsStart = this.#line
    return true
  }

  #nextLine(line: number): void {
    this.#line = line
    this.#part = 'line'
  }

  /** Notes where the reading stands. Returns -1. */
  #cut(part: Part, at: number): -1 {
    this.#part = part
    this.#at = at
    return -1
  }

  #badLine(bytes: Uint8Array, line: number, at: number, wanted: string): Error {
    const shown = shownAt(bytes, line, at + 1)
    return refuse(
      'ERR_HTTP_START_LINE',
      `Cannot read the first line: expected ${wanted}, found ${shownByte(bytes[at])} at the end of ${shown}`,
      400,
      this.#kind === 'request' ? 'RFC 9112 §3' : 'RFC 9112 §4',
    )
  }

  /** How long the field line may be that begins now. */
  #fieldRoom(): number {
    const { maxFieldBytes, maxFieldsBytes } = this.limits
    const room = maxFieldsBytes - (this.#line - this.#fieldsStart)
    return room < maxFieldBytes ? room : maxFieldBytes
  }

  #longStart(): Error {
    const { maxStartLineBytes } = this.limits
    const [what, refusal] =
      this.#kind === 'request'
        ? ['the request line', { status: 414, section: 'RFC 9112 §3' }]
        : ['the status line', { status: 502, section: 'RFC 9112 §4' }]
    return refuseSize('ERR_HTTP_LINE_LIMIT', what, maxStartLineBytes, refusal)
  }

  #longField(): Error {
    const { maxFieldBytes, maxFieldsBytes } = this.limits
    if (this.#fieldRoom() === maxFieldBytes) return this.#fieldLimit('a field line', maxFieldBytes)
    return this.#fieldLimit('all fields together', maxFieldsBytes)
  }

  #tooManyFields(): Error {
    return this.#fieldLimit('the number of fields', this.limits.maxFields)
  }

  #fieldLimit(what: string, limit: number): Error {
    const code: LimitCode = this.#kind === 'trailers' ? 'ERR_HTTP_TRAILER_LIMIT' : 'ERR_HTTP_FIELD_LIMIT'
    return refuseSize(code, what, limit, { status: 431, section: 'RFC 6585 §5' })
  }

  /** RFC 9112 §3: method, one space, target, one space, version. Returns where the line ends, or -1. */
  #requestLine(bytes: Uint8Array, from: number, to: number): number {
    let at = from + this.#at
    const line = from + this.#line
    if (this.#part === 'method') {
      while (at < to && TOKEN_BYTES[bytes[at] ?? 0] === 1) at += 1
      if (at - line > MAX_METHOD_BYTES) throw longMethod()
      if (at === to) return this.#cut('method', at - from)
      if (bytes[at] !== SPACE || at === line) throw this.#badLine(bytes, line, at, 'a method and one space')
      this.firstEnd = at - from
      this.#part = 'target'
      at += 1
    }
    if (this.#part === 'target') {
      while (at < to && TARGET_BYTES[bytes[at] ?? 0] === 1) at += 1
      if (at === to) return this.#cut('target', at - from)
      if (bytes[at] === BACKSLASH && bytes.subarray(line, at).includes(QUESTION_MARK)) this.#part = 'query'
    }
    if (this.#part === 'target' || this.#part === 'query') {
      while (this.#part === 'query' && at < to && QUERY_BYTES[bytes[at] ?? 0] === 1) at += 1
      if (at === to) return this.#cut(this.#part, at - from)
      if (bytes[at] !== SPACE || at === from + this.firstEnd + 1)
        throw this.#badLine(bytes, line, at, 'a target and one space')
      this.secondEnd = at - from
      at += 1
    }
    const end = this.#version(bytes, line, at, to)
    if (end === -1) return this.#cut('version', at - from)
    if (end < to && VALUE_BYTES[bytes[end] ?? 0] === 1) throw this.#badLine(bytes, line, end, 'the end of the line')
    const next = lineEnd(bytes, end, to)
    return next === -1 ? this.#cut('version', at - from) : next
  }

  /** RFC 9112 §4: version, one space, three digits, one space, a reason or nothing. */
  #statusLine(bytes: Uint8Array, from: number, to: number): number {
    const line = from + this.#line
    let at = from + this.#at
    if (this.#part === 'version') {
      at = this.#status(bytes, line, to)
      if (at === -1) return -1
      this.firstEnd = at - from
    }
    if (at === to) return this.#cut('reason', at - from)
    if (at === from + this.firstEnd && bytes[at] !== SPACE && bytes[at] !== CR)
      throw this.#badLine(bytes, line, at, 'one space')
    while (at < to && VALUE_BYTES[bytes[at] ?? 0] === 1) at += 1
    this.secondEnd = at - from
    const end = at === to ? -1 : lineEnd(bytes, at, to)
    return end === -1 ? this.#cut('reason', at - from) : end
  }

  #status(bytes: Uint8Array, line: number, to: number): number {
    const end = this.#version(bytes, line, line, to)
    if (end === -1 || end >= to) return -1
    if (bytes[end] !== SPACE) throw this.#badLine(bytes, line, end, 'one space')
    let status = 0
    for (let at = end + 1; at < end + 4; at += 1) {
      if (at >= to) return -1
      const digit = (bytes[at] ?? 0) - 0x30
      if (digit < 0 || digit > 9 || (status === 0 && digit === 0))
        throw this.#badLine(bytes, line, at, 'a status from 100 up')
      status = status * 10 + digit
    }
    this.status = status
    return end + 4
  }

  /** `HTTP/1.0` or `HTTP/1.1`, and nothing else. Returns the place behind it, or -1. */
  #version(bytes: Uint8Array, line: number, at: number, to: number): number {
    for (let i = 0; i < VERSION.length; i += 1) {
      if (at + i >= to) return -1
      const byte = bytes[at + i] ?? 0
      if (byte === VERSION[i]) continue
      // Another major version is one that is not spoken here; everything else is no version.
      if (i === MAJOR_AT && isDigit(byte)) throw otherVersion(byte - 0x30)
      throw this.#badLine(bytes, line, at + i, 'HTTP/1.1')
    }
    if (at + VERSION.length >= to) return -1
    const digit = bytes[at + VERSION.length] ?? 0
    if (!isDigit(digit)) throw this.#badLine(bytes, line, at + VERSION.length, 'HTTP/1.1')
    this.minorVersion = digit - 0x30
    if (this.minorVersion > 1) throw otherVersion(1 + this.minorVersion / 10)
    return at + VERSION.length + 1
  }

  /** RFC 9112 §5.1: a name, a colon at once, a value with white space around it. False when more is needed. */
  #readField(bytes: Uint8Array, from: number, to: number): boolean {
    const line = from + this.#line
    let at = from + this.#at
    let part = this.#part
    let nameEnd = this.#nameEnd
    let value = this.#value
    let valueEnd = this.#valueEnd
    if (part === 'name') {
      while (at < to && TOKEN_BYTES[bytes[at] ?? 0] === 1) at += 1
      if (at < to) {
        if (bytes[at] !== COLON || at === line) throw badField(bytes, line, at)
        nameEnd = at - from
        at += 1
        part = 'blank'
      }
    }
    if (part === 'blank') {
      while (at < to && isSpace(bytes[at] ?? 0)) at += 1
      value = at - from
      valueEnd = value
      if (at < to) part = 'value'
    }
    if (part === 'value') {
      while (at < to && VALUE_BYTES[bytes[at] ?? 0] === 1) at += 1
      valueEnd = at - from
    }
    const end = at < to ? lineEnd(bytes, at, to) : -1
    if (end === -1) {
      this.#nameEnd = nameEnd
      this.#value = value
      this.#valueEnd = valueEnd
      this.#cut(part, at - from)
      return false
    }
    while (valueEnd > value && isSpace(bytes[from + valueEnd - 1] ?? 0)) valueEnd -= 1
    this.spans.push(line - from, nameEnd, value, valueEnd)
    this.#nextLine(end - from)
    return true
  }
}

/** CR LF must stand at `at`. Returns the place behind it, or -1 when it is not there yet. */
function lineEnd(bytes: Uint8Array, at: number, to: number): number {
  if (at >= to) return -1
  if (bytes[at] !== CR)
    throw refuse(
      'ERR_HTTP_LINE_ENDING',
      `Cannot read a line of the head: found ${shownByte(bytes[at])} where only text, or CR LF, may stand`,
      400,
      bytes[at] === LF ? 'RFC 9112 §2.2' : 'RFC 9110 §5.5',
    )
  if (at + 1 >= to) return -1
  if (bytes[at + 1] !== LF)
    throw refuse('ERR_HTTP_LINE_ENDING', 'Cannot read a line of the head: found a CR without LF', 400, 'RFC 9112 §2.2')
  return at + 2
}

function otherVersion(version: number): Error {
  return refuse('ERR_HTTP_VERSION', `Cannot speak HTTP/${version}: only HTTP/1.1 and HTTP/1.0`, 505, 'RFC 9110 §15.6.6')
}

const longMethod = (): Error =>
  refuse('ERR_HTTP_METHOD', `Cannot read the method: it is longer than ${MAX_METHOD_BYTES} bytes`, 501, 'RFC 9112 §3.1')

function badField(bytes: Uint8Array, line: number, at: number): Error {
  const byte = bytes[at]
  const isBlank = byte === SPACE || byte === TAB
  const why =
    at === line && isBlank
      ? 'a line that begins with a space goes on with the one before: folded lines are not read'
      : isBlank
        ? 'a space stands before the colon'
        : `a name cannot hold ${shownByte(byte)}`
  return refuse(
    'ERR_HTTP_FIELD',
    `Cannot read a field: ${why}, in ${shownAt(bytes, line, at + 1)}`,
    400,
    isBlank && at === line ? 'RFC 9112 §5.2' : 'RFC 9112 §5.1',
  )
}
