import { checkArgument, parsed } from './_refuse.js'
import { COMMA, EQUALS, QUOTE, Scanner, SEMICOLON } from './_scanner.js'
import { isMadeOf, isSpace, isToken, VALUE_BYTES } from './characters.js'

/** The most members that a list is read with, empty ones counted. Browsers send fewer than twenty in any field. */
export const MAX_LIST_MEMBERS = 100

/** The most parameters that one value is read with, empty ones counted. The longest in use, of Digest, have a dozen. */
export const MAX_PARAMETERS = 32

/** Parameters by name in lower case, in the order they came. */
export type Parameters = ReadonlyMap<string, string>

export const NO_PARAMETERS: Parameters = new Map<string, string>()

/**
 * RFC 9110 §5.6.1: the members of a comma-separated list, without the space around them. Members may hold quoted strings,
 * and a comma within those separates nothing. Empty members are passed over, as §5.6.1.2 wants, but they count.
 *
 * `undefined` for a quoted string without end, a character that no field may hold, and more than `maxMembers`.
 */
export function tryParseList(value: string, maxMembers: number = MAX_LIST_MEMBERS): readonly string[] | undefined {
  const scanner = new Scanner(value)
  const members: string[] = []
  for (let count = 1; count <= maxMembers; count += 1) {
    scanner.skipSpace()
    const from = scanner.at
    while (!scanner.isDone && scanner.next !== COMMA) if (!skipPiece(scanner)) return undefined
    if (scanner.at > from) members.push(withoutSpaceBehind(value, from, scanner.at))
    if (scanner.isDone) return members
    scanner.at += 1
  }
  return undefined
}

/** As `tryParseList`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseList(value: string, maxMembers: number = MAX_LIST_MEMBERS): readonly string[] {
  return parsed(tryParseList(value, maxMembers), 'list', value, 'RFC 9110 §5.6.1')
}

/** A whole quoted string, or one character. */
function skipPiece(scanner: Scanner): boolean {
  if (scanner.next === QUOTE) return scanner.quoted() !== undefined
  if (VALUE_BYTES[scanner.next] !== 1) return false
  scanner.at += 1
  return true
}

function withoutSpaceBehind(text: string, from: number, to: number): string {
  let end = to
  while (end > from && isSpace(text.charCodeAt(end - 1))) end -= 1
  return text.slice(from, end)
}

/**
 * RFC 9110 §5.6.6: `;name=value` as often as it comes. Space may stand around a semicolon, not around `=`; a value is a
 * token or a quoted string.
 *
 * `undefined` for anything else, for a name that comes twice (two readers would choose differently), and for more than 32.
 */
export function tryParseParameters(text: string): Parameters | undefined {
  return readParameters(new Scanner(text))
}

/** As `tryParseParameters`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseParameters(text: string): Parameters {
  return parsed(tryParseParameters(text), 'parameters', text, 'RFC 9110 §5.6.6')
}

/** Parameters from where the scanner stands to the end of its text. */
export function readParameters(scanner: Scanner): Parameters | undefined {
  let found: Map<string, string> | undefined
  for (let count = 0; ; count += 1) {
    scanner.skipSpace()
    if (scanner.isDone) return found ?? NO_PARAMETERS
    if (count === MAX_PARAMETERS || !scanner.take(SEMICOLON)) return undefined
    scanner.skipSpace()
    const name = scanner.token().toLowerCase()
    if (name === '') continue
    const value = scanner.take(EQUALS) ? scanner.tokenOrQuoted() : undefined
    if (value === undefined || found?.has(name) === true) return undefined
    found ??= new Map()
    found.set(name, value)
  }
}

/** `; name=value` for each, with quotes where a value needs them. @throws UsageError `ERR_ARGUMENT`. */
export function formatParameters(parameters: Iterable<readonly [name: string, value: string]>): string {
  let text = ''
  for (const [name, value] of parameters) {
    checkArgument(isToken(name), 'parameters', name, 'a token for a name')
    text += `; ${name}=${isToken(value) ? value : quote(value)}`
  }
  return text
}

/**
 * RFC 9110 §5.6.4: the text as a quoted string.
 * @throws UsageError `ERR_ARGUMENT` for a control character other than tab, and for a character above U+00FF.
 */
export function quote(text: string): string {
  checkArgument(isMadeOf(text, VALUE_BYTES), 'quoted string', undefined, 'no control character and none above U+00FF')
  return `"${text.replace(/["\\]/g, String.raw`\$&`)}"`
}

/** What a quoted string means; `undefined` when the text is not one, whole. */
export function tryUnquote(text: string): string | undefined {
  const scanner = new Scanner(text)
  const value = scanner.quoted()
  return scanner.isDone ? value : undefined
}

/** As `tryUnquote`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function unquote(text: string): string {
  return parsed(tryUnquote(text), 'quoted string', text, 'RFC 9110 §5.6.4')
}
