import { isUtf8 } from 'node:buffer'
import { tryParseMediaType } from '../engine/http/media-type.js'

const { latin1Slice, utf8Slice } = Buffer.prototype
/** Looking through a short text costs less than the call that does it faster. */
const MAX_LOOKED_AT = 32
/** HTML standard §13.2.3.2: how far is looked for what a page says of itself. */
const LOOKED_FOR_BYTES = 1024

/**
 * The text of a body, in the charset that speaks first: a byte order mark, which is not part of the text; the `charset` of
 * the Content-Type; what HTML says in a `<meta>` or XML in its first line, within 1,024 bytes; UTF-8 where it is that; else
 * windows-1252, as in browsers. One that is not known counts as not said. Never throws: bytes that mean nothing become
 * U+FFFD.
 */
export function decodeText(bytes: Uint8Array, contentType: string | undefined): string {
  if (bytes.length <= MAX_LOOKED_AT && isAscii(bytes) && !isWide(contentType)) return latin1Slice.call(bytes)
  return decode(bytes, findCharset(bytes, contentType))
}

/**
 * The name of the charset that `decodeText` would use, as the Encoding standard has it: `utf-8`, `shift_jis`. The bytes need
 * only be the beginning of the body, of at least 1,024 bytes where there are so many.
 */
export function findCharset(bytes: Uint8Array, contentType: string | undefined): string {
  const { type, charset } = readType(contentType)
  return markedCharset(bytes) ?? charset ?? toldCharset(bytes, type) ?? (isUtf8(bytes) ? 'utf-8' : 'windows-1252')
}

function isAscii(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte >= 0x80) return false
  return true
}

interface TypeRead {
  /** Without parameters; '' where none was sent. */
  readonly type: string
  readonly charset: string | undefined
}

/** Servers send few different ones; this many are kept, each with its answer. */
const MAX_TYPES_KEPT = 64
const typesRead = new Map<string, TypeRead>()
const NO_TYPE: TypeRead = { type: '', charset: undefined }

function readType(contentType: string | undefined): TypeRead {
  if (contentType === undefined) return NO_TYPE
  let read = typesRead.get(contentType)
  if (read === undefined) {
    read = parseType(contentType)
    if (typesRead.size === MAX_TYPES_KEPT) typesRead.clear()
    typesRead.set(contentType, read)
  }
  return read
}

/** Also of one that is malformed: `text/html; charset=utf-8;;x`, `charset='utf-8'`. */
function parseType(contentType: string): TypeRead {
  const parsed = tryParseMediaType(contentType)
  const type = parsed === undefined ? (/^[^;\s]*/.exec(contentType)?.[0] ?? '') : `${parsed.type}/${parsed.subtype}`
  const label = parsed?.parameters.get('charset') ?? /;\s*charset\s*=\s*"?([^\s;",]+)/i.exec(contentType)?.[1]
  return { type: type.toLowerCase(), charset: tryName(label?.replace(/^'(.*)'$/, '$1')) }
}

/** A charset in which bytes below 0x80 are not what they are in ASCII. */
const WIDE: ReadonlySet<string> = new Set(['utf-16le', 'utf-16be', 'iso-2022-jp', 'hz-gb-2312'])

const isWide = (contentType: string | undefined): boolean => {
  const { type, charset } = readType(contentType)
  return charset === undefined ? isMarkup(type) : WIDE.has(charset)
}

/** Encoding standard §6: UTF-8 and both orders of UTF-16. */
function markedCharset(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined
}

const isHtml = (type: string): boolean => type === '' || type === 'text/html' || type === 'application/xhtml+xml'
const isXml = (type: string): boolean => type === '' || type.endsWith('/xml') || type.endsWith('+xml')
const isMarkup = (type: string): boolean => isHtml(type) || isXml(type)

/** What a page or a document says of itself. */
function toldCharset(bytes: Uint8Array, type: string): string | undefined {
  if (!isMarkup(type)) return undefined
  const start = latin1Slice.call(bytes, 0, Math.min(bytes.length, LOOKED_FOR_BYTES))
  const told =
    (isXml(type) ? tryName(XML_DECLARATION.exec(start)?.[2]) : undefined) ??
    (isHtml(type) ? metaCharset(start) : undefined)
  // HTML standard §13.2.3.2: it was read as ASCII, and so cannot be in UTF-16.
  return told?.startsWith('utf-16') ? 'utf-8' : told
}

const XML_DECLARATION = /^<\?xml\s[^>]*?\bencoding\s*=\s*(["'])([^"'>]*)\1/
const META = /<!--.*?-->|<meta[\s/]((?:[^>"']|"[^"]*"|'[^']*')*)>/gis
const ATTRIBUTE = /([^\s=/>"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?/g

/** HTML standard §13.2.3.2: the first `<meta>` outside of comments that says one which is known. */
function metaCharset(start: string): string | undefined {
  for (const [, attributes] of start.matchAll(META)) {
    if (attributes === undefined) continue
    const found = new Map<string, string>()
    for (const [, name = '', double, single, bare] of attributes.matchAll(ATTRIBUTE)) {
      const key = name.toLowerCase()
      if (!found.has(key)) found.set(key, double ?? single ?? bare ?? '')
    }
    const isType = found.get('http-equiv')?.toLowerCase() === 'content-type'
    const content = isType ? /charset\s*=\s*["']?([^\s;"']+)/i.exec(found.get('content') ?? '')?.[1] : undefined
    const told = tryName(found.get('charset') ?? content)
    if (told !== undefined) return told
  }
  return undefined
}

/** Encoding standard §4.2, by label; `undefined` for one that is not known here. */
function tryName(label: string | undefined): string | undefined {
  if (label === undefined) return undefined
  try {
    return new TextDecoder(label).encoding
  } catch {
    return undefined // It is no label, or this runtime has not that charset.
  }
}

function decode(bytes: Uint8Array, charset: string): string {
  if (charset === 'windows-1252') return decodeWindows1252(bytes)
  if (charset !== 'utf-8' || !isUtf8(bytes)) return new TextDecoder(charset).decode(bytes)
  return utf8Slice.call(bytes, markedCharset(bytes) === 'utf-8' ? 3 : 0)
}

/** What stands in windows-1252 at 0x80 to 0x9f; the five that it has not are the controls of Latin-1. */
const FROM_0X80 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'

/** Not left to `TextDecoder`: that of some versions of Node.js decodes Latin-1 instead (nodejs/node#56542). */
const decodeWindows1252 = (bytes: Uint8Array): string =>
  latin1Slice
    .call(bytes)
    .replace(/[\x80-\x9f]/g, (character: string) => FROM_0X80[character.charCodeAt(0) - 0x80] ?? character)
