import { ProtocolError, UsageError } from '../../base/errors.js'
import { isFieldValue, isSpace, isToken, TOKEN_BYTES, VALUE_BYTES, type ByteSet } from './characters.js'

/**
 * The fields of a message that was received, in the order they came, with names as they were written. Names are compared
 * without case (RFC 9110 §5.1).
 */
export interface Fields extends Iterable<readonly [name: string, value: string]> {
  readonly count: number
  /** All values of the name in one list, as RFC 9110 §5.3 joins them; `undefined` when there is none. */
  get(name: string): string | undefined
  /** The values one by one: `Set-Cookie` cannot be joined. */
  getAll(name: string): readonly string[]
  has(name: string): boolean
}

/** What reads some fields by name needs no more than this. */
export type FieldSource = Pick<Fields, 'get'>

/** Where each field stands in a text: start and end of its name, start and end of its value. */
export type FieldSpans = readonly number[]

/** How many numbers tell of one field. */
export const SPAN = 4

/** The fields of a head, cut out of its text only when they are asked for. */
export class HeadFields implements Fields {
  readonly #text: string
  readonly #spans: FieldSpans

  constructor(text: string, spans: FieldSpans) {
    this.#text = text
    this.#spans = spans
  }

  get count(): number {
    return this.#spans.length / SPAN
  }

  get(name: string): string | undefined {
    const wanted = name.toLowerCase()
    let found: string | undefined
    for (let at = this.#next(wanted, 0); at !== -1; at = this.#next(wanted, at + SPAN)) {
      const value = this.valueAt(at)
      found = found === undefined ? value : `${found}, ${value}`
    }
    return found
  }

  getAll(name: string): readonly string[] {
    const wanted = name.toLowerCase()
    const values: string[] = []
    for (let at = this.#next(wanted, 0); at !== -1; at = this.#next(wanted, at + SPAN)) values.push(this.valueAt(at))
    return values
  }

  has(name: string): boolean {
    return this.#next(name.toLowerCase(), 0) !== -1
  }

  /** The first field of this name (in lower case) at or after a place in the spans; -1 when there is none. */
  #next(wanted: string, from: number): number {
    const spans = this.#spans
    for (let at = from; at < spans.length; at += SPAN) {
      const start = spans[at] ?? 0
      if ((spans[at + 1] ?? 0) - start === wanted.length && isSameName(this.#text, start, wanted)) return at
    }
    return -1
  }

  valueAt(at: number): string {
    return this.#text.slice(this.#spans[at + 2], this.#spans[at + 3])
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    for (let at = 0; at < this.#spans.length; at += SPAN)
      yield [this.#text.slice(this.#spans[at], this.#spans[at + 1]), this.valueAt(at)]
  }
}

/** Whether `wanted`, a token in lower case, stands in the text at `start`, in whatever case. */
export function isSameName(text: string, start: number, wanted: string): boolean {
  for (let i = 0; i < wanted.length; i += 1) {
    const code = text.charCodeAt(start + i)
    const lower = code >= 0x41 && code <= 0x5a ? code + 0x20 : code
    if (lower !== wanted.charCodeAt(i)) return false
  }
  return true
}

/** What names a program may give to a message that it sends: pairs, or an object with a list where a name comes twice. */
export type FieldInit =
  | Iterable<readonly [name: string, value: string]>
  | Readonly<Record<string, string | number | readonly string[] | undefined>>

const knownNames = new Set<string>()
/** Names that were checked before are not checked again; a program that makes them up does not fill the memory. */
const MAX_KNOWN_NAMES = 1000

/** @throws UsageError `ERR_ARGUMENT` for a name that is no token. */
export function checkFieldName(name: string): void {
  if (knownNames.has(name)) return
  if (!isToken(name)) {
    const { index, kind } = wrongIn(name, TOKEN_BYTES)
    throw new UsageError(
      'ERR_ARGUMENT',
      // What stands behind the wrong character may be a value that slipped into the name.
      `Cannot send the field ${JSON.stringify(name.slice(0, Math.min(index, 64)))}: its name has ${kind} at index ${index}; a name is letters, digits and some of !#$%&'*+-.^_\`|~`,
    )
  }
  if (knownNames.size < MAX_KNOWN_NAMES) knownNames.add(name)
}

/**
 * What would let a value begin a field or a body of its own is refused (response splitting). The message says where it is
 * wrong, and nothing of the value: it may be a password or a token.
 * @throws UsageError `ERR_ARGUMENT`.
 */
export function checkFieldValue(name: string, value: string): void {
  if (isFieldValue(value)) return
  const { index, kind } = wrongIn(value, VALUE_BYTES)
  throw new UsageError(
    'ERR_ARGUMENT',
    `Cannot send the field ${name}: its value has ${kind} at index ${index}, of ${value.length} characters`,
  )
}

/** The first character that is not of the set; where all of them are, it is a space at one end, or nothing at all. */
function wrongIn(text: string, set: ByteSet): { readonly index: number; readonly kind: string } {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (set[code] !== 1) return { index, kind: kindOf(code) }
  }
  if (text === '') return { index: 0, kind: 'no character' }
  return isSpace(text.charCodeAt(0))
    ? { index: 0, kind: 'a space at its beginning' }
    : { index: text.length - 1, kind: 'a space at its end' }
}

function kindOf(code: number): string {
  if (code === 0x0a || code === 0x0d) return 'a line break'
  if (code < 0x20 || code === 0x7f) return code === 0x09 ? 'a tab' : 'a control character'
  if (code > 0xff) return 'a character above U+00FF'
  if (code > 0x7f) return 'a character above ASCII'
  return code === 0x20 ? 'a space' : 'a character of no name'
}

/** One field as it is sent. @throws UsageError `ERR_ARGUMENT`. */
export function encodeField(name: string, value: string): string {
  checkFieldName(name)
  checkFieldValue(name, value)
  return `${name}: ${value}\r\n`
}

export function* fieldPairs(init: FieldInit): Generator<readonly [name: string, value: string]> {
  if (isIterable(init)) {
    yield* init
    return
  }
  for (const [name, value] of Object.entries(init)) {
    if (value === undefined) continue
    if (typeof value === 'string') yield [name, value]
    else if (typeof value === 'number') yield [name, String(value)]
    else for (const each of value) yield [name, each]
  }
}

const isIterable = (init: FieldInit): init is Iterable<readonly [string, string]> => Symbol.iterator in init

/** @throws ProtocolError `ERR_HTTP_FIELD`: a field that may stand once only stands twice, with different values. */
export function onlyValue(fields: Fields, name: string): string | undefined {
  const values = fields.getAll(name)
  const [first] = values
  if (values.some((value) => value !== first))
    throw new ProtocolError('ERR_HTTP_FIELD', `Cannot read the field ${name}: it came with ${values.length} values`)
  return first
}
