import { tryFromUtf8, tryToUtf8 } from '../utf8.js'
import { checkArgument, parsed } from './_refuse.js'
import { Scanner } from './_scanner.js'
import { hasControl, isToken } from './characters.js'
import { quote, readParameters, type Parameters } from './list.js'

/** RFC 6266 of a message, and RFC 7578 §4.2 of a part of a form. */
export interface ContentDisposition {
  /** `attachment`, `inline`, `form-data`: in lower case. */
  readonly type: string
  /** The name of the field of a form. */
  readonly name?: string
  /** One that has no folders in it, is neither `.` nor `..`, and has no control character. Still made up by the peer. */
  readonly fileName?: string
  /** Everything, as it was written. */
  readonly parameters: Parameters
}

/** RFC 8187 §3.2.1. Only UTF-8 is read: no sender needs another. */
const EXTENDED = /^utf-8'[a-z\d-]*'((?:%[\da-f]{2}|[a-z\d!#$&+.^_`|~-])*)$/i

/**
 * RFC 6266 §4.1: a Content-Disposition, of text in Latin-1 as the fields of a message are. `filename*` counts before
 * `filename` when it can be read (§4.3), except in a form, where it may not be (RFC 7578 §4.2). Names of UTF-8 that were not
 * encoded, as browsers send them in forms, are decoded; what is not UTF-8 stays Latin-1.
 *
 * `undefined` when it is malformed, or has a parameter twice.
 */
export function tryParseContentDisposition(value: string): ContentDisposition | undefined {
  const scanner = new Scanner(value)
  const type = scanner.token().toLowerCase()
  const parameters = type === '' ? undefined : readParameters(scanner)
  if (parameters === undefined) return undefined
  const isForm = type === 'form-data'
  const extended = isForm ? undefined : tryDecodeExtended(parameters.get('filename*') ?? '')
  const fileName = plainFileName(extended ?? decoded(parameters.get('filename')))
  const name = isForm ? decoded(parameters.get('name')) : undefined
  return {
    type,
    ...(name === undefined ? {} : { name }),
    ...(fileName === undefined ? {} : { fileName }),
    parameters,
  }
}

/** As `tryParseContentDisposition`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseContentDisposition(value: string): ContentDisposition {
  return parsed(tryParseContentDisposition(value), 'Content-Disposition', value, 'RFC 6266 §4.1')
}

function tryDecodeExtended(text: string): string | undefined {
  const encoded = EXTENDED.exec(text)?.[1]
  if (encoded === undefined) return undefined
  try {
    return decodeURIComponent(encoded)
  } catch {
    return undefined // It is not UTF-8.
  }
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined || isAscii(text)) return text
  return tryFromUtf8(Uint8Array.from(text, (character) => character.charCodeAt(0))) ?? text
}

/** RFC 6266 §4.3: what stands behind the last separator of folders, of any system; `undefined` when that is no name. */
function plainFileName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const name = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1)
  return name === '' || name === '.' || name === '..' || hasControl(name) ? undefined : name
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** What every reader takes as it is: printable ASCII without `"`, `\` and `%` (RFC 6266 appendix D). */
const HARD = /[^\x20-\x7e]|["\\%]/gu

/**
 * RFC 6266 §4.1: `attachment; filename="a.txt"`. Where the name has more than plain ASCII, it comes twice: with `_` for the
 * rest, for old readers, and whole as `filename*` (RFC 8187).
 * @throws UsageError `ERR_ARGUMENT` for an empty name, one with "/", a control character or half a surrogate pair.
 */
export function formatContentDisposition(type: 'attachment' | 'inline', fileName?: string): string {
  checkArgument(isToken(type), 'Content-Disposition', type, '"attachment" or "inline"')
  if (fileName === undefined) return type
  const isRight =
    fileName !== '' && !fileName.includes('/') && !hasControl(fileName) && tryToUtf8(fileName) !== undefined
  checkArgument(isRight, 'Content-Disposition', fileName, 'a file name without "/" and control characters')
  const plain = fileName.replace(HARD, '_')
  const field = `${type}; filename=${quote(plain)}`
  return plain === fileName ? field : `${field}; filename*=UTF-8''${encodeExtended(fileName)}`
}

/** RFC 8187 §3.2.1: four characters that a URL may hold have another meaning here. */
const encodeExtended = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
