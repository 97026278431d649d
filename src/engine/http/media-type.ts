import { checkArgument, parsed } from './_refuse.js'
import { Scanner } from './_scanner.js'
import { isToken } from './characters.js'
import { formatParameters, readParameters, type Parameters } from './list.js'

const SLASH = 0x2f

/** RFC 9110 §8.3.1. Type, subtype and names of parameters are in lower case; values are as they were written. */
export interface MediaType {
  readonly type: string
  readonly subtype: string
  readonly parameters: Parameters
}

/** A Content-Type; `undefined` when it is malformed, or has `*` for a type. */
export function tryParseMediaType(value: string): MediaType | undefined {
  const found = tryParseMediaRange(value)
  return found?.subtype === '*' ? undefined : found
}

/** As `tryParseMediaType`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseMediaType(value: string): MediaType {
  return parsed(tryParseMediaType(value), 'media type', value, 'RFC 9110 §8.3.1')
}

/** RFC 9110 §12.5.1: as a media type, and also with `*` for the subtype, or for both; a weight is among the parameters, as `q`. */
export function tryParseMediaRange(value: string): MediaType | undefined {
  const scanner = new Scanner(value)
  const type = scanner.token().toLowerCase()
  if (type === '' || !scanner.take(SLASH)) return undefined
  const subtype = scanner.token().toLowerCase()
  if (subtype === '' || (type === '*' && subtype !== '*')) return undefined
  const parameters = readParameters(scanner)
  return parameters === undefined ? undefined : { type, subtype, parameters }
}

/** @throws UsageError `ERR_ARGUMENT` for a type or a name that is no token, and a value that cannot be quoted. */
export function formatMediaType({
  type,
  subtype,
  parameters,
}: Pick<MediaType, 'type' | 'subtype'> & Partial<MediaType>): string {
  const name = `${type}/${subtype}`
  const isRight = isToken(type) && isToken(subtype) && type !== '*' && subtype !== '*'
  checkArgument(isRight, 'media type', name, 'a token, "/" and a token')
  return `${name}${formatParameters(parameters ?? [])}`
}

/**
 * Whether a type lies in a range: the range may leave open subtype, or both, and each of its parameters must be one of the
 * type's. Values of parameters are compared with their case, but for `charset` (RFC 9110 §8.3.2).
 */
export function matchesMediaRange(mediaType: MediaType, range: MediaType): boolean {
  if (range.type !== '*' && range.type !== mediaType.type) return false
  if (range.subtype !== '*' && range.subtype !== mediaType.subtype) return false
  for (const [name, value] of range.parameters) {
    const own = mediaType.parameters.get(name)
    if (own !== value && (name !== 'charset' || own?.toLowerCase() !== value.toLowerCase())) return false
  }
  return true
}

/**
 * In which charset a text is, in lower case; `undefined` for what is no text. JSON is always UTF-8, whatever is said
 * (RFC 8259 §8.1 and §11); any other text is in UTF-8 where nothing is said, which holds what RFC 6657 names, US-ASCII.
 */
export function charsetOf(mediaType: MediaType): string | undefined {
  const { type, subtype, parameters } = mediaType
  if (type === 'application' && (subtype === 'json' || subtype.endsWith('+json'))) return 'utf-8'
  const isText = type === 'text' || (type === 'application' && TEXT_SUBTYPES.has(subtype)) || subtype.endsWith('+xml')
  return isText ? (parameters.get('charset')?.toLowerCase() ?? 'utf-8') : undefined
}

const TEXT_SUBTYPES: ReadonlySet<string> = new Set(['xml', 'javascript', 'ecmascript', 'x-www-form-urlencoded'])
