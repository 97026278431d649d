import { tryParseIpv6 } from '../ip-address.js'
import { HOST_BYTES, isMadeOf } from './characters.js'

/** The forms of a request target (RFC 9112 §3.2). */
export type TargetForm = 'origin' | 'absolute' | 'authority' | 'asterisk'

const SCHEME = /^https?:\/\//i
const PORT = /:(\d{1,5})$/
const BRACKETED = /^\[([^\]]*)\](?::\d{0,5})?$/
const ESCAPE = /%(?![\da-f]{2})/i

/** Which form a target has with this method; `undefined` when it is none that the method allows. */
export function targetForm(method: string, target: string): TargetForm | undefined {
  if (method === 'CONNECT') return isHost(target) && PORT.test(target) ? 'authority' : undefined
  if (target.charCodeAt(0) === 0x2f) return 'origin'
  if (target === '*') return method === 'OPTIONS' ? 'asterisk' : undefined
  const authority = authorityOf(target)
  return authority !== undefined && authority !== '' && isHost(authority) ? 'absolute' : undefined
}

/** The host and port of an absolute target; `undefined` when it is not absolute, or names a user. */
export function authorityOf(target: string): string | undefined {
  const scheme = SCHEME.exec(target)
  if (scheme === null) return undefined
  const rest = target.slice(scheme[0].length)
  const end = rest.search(/[/?]/)
  const authority = end === -1 ? rest : rest.slice(0, end)
  return authority.includes('@') ? undefined : authority
}

/** The last one that was found right: nearly all requests to a server name the same. */
let knownHost = ''

/** Whether a text is a host with or without a port, as a Host field has it (RFC 9110 §7.2). Empty is one, for no host. */
export function isHost(text: string): boolean {
  if (text === knownHost) return true
  if (text !== '' && !isHostAndPort(text)) return false
  knownHost = text
  return true
}

function isHostAndPort(text: string): boolean {
  if (!isMadeOf(text, HOST_BYTES) || ESCAPE.test(text)) return false
  if (text.startsWith('[')) {
    const address = BRACKETED.exec(text)?.[1]
    return address !== undefined && tryParseIpv6(address) !== undefined && portIsInRange(text)
  }
  const colon = text.indexOf(':')
  if (text.includes('[') || text.includes(']')) return false
  if (colon === -1) return true
  return colon > 0 && /^\d{0,5}$/.test(text.slice(colon + 1)) && portIsInRange(text)
}

function portIsInRange(text: string): boolean {
  const port = PORT.exec(text)?.[1]
  return port === undefined || Number(port) <= 65_535
}
