import { ProtocolError } from '../base/errors.js'

/** File systems take 255 bytes a name; longer whole paths are refused by systems at 4,096. */
const MAX_SEGMENT_BYTES = 255
const MAX_SEGMENTS = 128
/** A longer name leaves no room for the endings of its partial file. */
const MAX_BASE_BYTES = 240

export const PART_ENDING = '.part'
export const SIDECAR_ENDING = '.part.moorage'
export const LOCK_ENDING = '.part.lock'

const encoder = new TextEncoder()
const DEVICES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i

/**
 * The folders and the file that a name of a transfer stands for. Whatever could leave the folder on any system, or show
 * as something else, is refused: empty, `.` and `..` segments (so absolute names too), backslashes, drive letters,
 * control and format characters, trailing dots and spaces, lone surrogates, names too long or too deep.
 * @throws ProtocolError `ERR_TRANSFER_NAME`.
 */
export function parseName(name: string): readonly string[] {
  if (/\p{Cs}/u.test(name)) throw refused(name, 'it is not UTF-8')
  const segments = name.split('/')
  if (segments.length > MAX_SEGMENTS) throw refused(name, `it is more than ${MAX_SEGMENTS} folders deep`)
  for (const segment of segments) {
    const fault = faultOf(segment)
    if (fault !== undefined) throw refused(name, fault)
  }
  return segments
}

function faultOf(segment: string): string | undefined {
  if (segment === '') return 'it is absolute, or has an empty part'
  if (segment === '.' || segment === '..') return `"${segment}" is no name`
  if (/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(segment))
    return 'it has control characters'
  if (segment.includes('\\')) return 'it has a backslash'
  if (/^[a-z]:/i.test(segment)) return 'it begins with a drive letter'
  if (/[. ]$/.test(segment)) return 'a part ends with a dot or a space'
  if (encoder.encode(segment).length > MAX_SEGMENT_BYTES) return `a part has more than ${MAX_SEGMENT_BYTES} bytes`
  if (segment.endsWith(SIDECAR_ENDING) || segment.endsWith(LOCK_ENDING)) return 'such names are for partial files'
  if (process.platform === 'win32' && (DEVICES.test(segment) || /[<>:"|?*]/.test(segment)))
    return 'this system has no such names'
  return undefined
}

const refused = (name: string, why: string): ProtocolError =>
  new ProtocolError('ERR_TRANSFER_NAME', `Cannot take ${showName(name)}: ${why}`, {
    details: { reason: 'name' },
  })

/** A name of the peer as it can be shown: escaped, and cut at 64 characters. */
export function showName(name: string): string {
  const cut = name.length > 64 ? `${name.slice(0, 64)}…` : name
  return JSON.stringify(cut.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}'))
}

/** What the partial file of a name begins with: the name, or a digest where it is too long for endings. */
export function partBaseOf(segment: string, digest: (text: string) => string): string {
  return encoder.encode(segment).length <= MAX_BASE_BYTES ? segment : digest(segment)
}
