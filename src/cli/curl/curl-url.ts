import { CurlFailure } from './exit-codes.js'
import { percentDecode, percentEncode } from './percent-encoding.js'
import { shownUrl } from './shown-url.js'

/** A URL as curl takes it: its path and query go to the server as they are written, as far as a URL may have them. */
export interface CurlUrl {
  /** Without user, password and fragment: what is connected to, and what cookies belong to. */
  readonly href: string
  readonly origin: string
  readonly isTls: boolean
  readonly hostname: string
  readonly port: number
  /** What the Host field says: as it was written. */
  readonly host: string
  /** Path and query, for the first line. */
  readonly path: string
  readonly user: string | undefined
  readonly password: string | undefined
  /** The last part of the path, as it was written. */
  readonly name: string
}

export interface UrlRules {
  /** Leaves "." and ".." in the path. */
  readonly asIs: boolean
  /** What stands behind the query. */
  readonly query: readonly string[]
  readonly base?: CurlUrl
}

const PARTS = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?$/is

/** @throws CurlFailure 3 for what is no URL, 1 for one of another protocol. */
export function parseCurlUrl(text: string, rules: UrlRules): CurlUrl {
  const whole = absolute(text, rules.base)
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\0-\x20\x7f]/.test(whole)) throw wrongUrl(text, 'it has a space or a control character; write %20')
  const [other] = /^[a-z][a-z0-9+.-]*:(?!\/\/)/i.exec(whole) ?? []
  if (other !== undefined && !/^https?:/i.test(other)) throw wrongProtocol(text, other.slice(0, -1))
  const [, scheme = '', authority = '', path = '', query = ''] = PARTS.exec(whole) ?? []
  if (!/^https?$/i.test(scheme) && scheme !== '') throw wrongProtocol(text, scheme)
  const at = authority.lastIndexOf('@')
  const place = authority.slice(at + 1)
  if (place === '' || place.includes('\\') || !URL.canParse(`${scheme}://${place}/`))
    throw wrongUrl(text, 'it has no right host')
  const url = new URL(`${scheme}://${place}/`)
  const [user, password] = at === -1 ? [] : credentialsOf(text, authority.slice(0, at))
  const segments = rules.asIs ? path : withoutDots(path)
  const target = encodePath(segments.startsWith('/') ? segments : `/${segments}`) + withMore(query, rules.query)
  const isTls = url.protocol === 'https:'
  return {
    href: new URL(target, url).href.replace(/#.*$/s, ''),
    origin: url.origin,
    isTls,
    hostname: url.hostname.replace(/^\[(.*)\]$/s, '$1'),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    host: hostOf(place, url),
    path: target,
    user,
    password,
    name: path.replace(/^.*\//s, ''),
  }
}

/** One without a scheme is of HTTP; one of a redirect belongs to the URL that it came from. */
function absolute(text: string, base: CurlUrl | undefined): string {
  if (base === undefined) return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  // What servers forget to encode, in the URL of a redirect.
  const given = text.trim().replaceAll(' ', '%20')
  // RFC 3986 §4.2: what has a colon before a slash has a scheme.
  if (/^[a-z][a-z0-9+.-]*:/i.test(given)) return given.replace(/^(https?:)\/(?!\/)/i, '$1//')
  const scheme = base.isTls ? 'https' : 'http'
  if (given.startsWith('//')) return `${scheme}:${given}`
  const [path = '', query = ''] = /^([^?]*)(.*)$/s.exec(base.path)?.slice(1) ?? []
  if (given.startsWith('/')) return `${base.origin}${given}`
  if (given.startsWith('?')) return `${base.origin}${path}${given}`
  if (given === '' || given.startsWith('#')) return `${base.origin}${path}${query}`
  return `${base.origin}${path.replace(/[^/]*$/s, '')}${given}`
}

/** RFC 3986 §5.2.4; an encoded dot is not one. */
function withoutDots(path: string): string {
  const kept: string[] = []
  const parts = path.split('/')
  for (const [at, part] of parts.entries()) {
    const isLast = at === parts.length - 1
    if (part === '.' || part === '..') {
      if (part === '..' && kept.length > 1) kept.pop()
      if (isLast) kept.push('')
    } else kept.push(part)
  }
  return kept.join('/')
}

/** Bytes above ASCII are encoded as curl does; what no path may have is encoded, too, which curl leaves to servers. */
const encodePath = (path: string): string => percentEncode(path, /["<>\\]|[^\0-\x7f]+/gu)

const encodeQuery = (query: string): string => percentEncode(query, /["<>]|[^\0-\x7f]+/gu)

function withMore(query: string, more: readonly string[]): string {
  const parts = [query.slice(1), ...more].filter((part) => part !== '')
  return parts.length === 0 ? query : `?${encodeQuery(parts.join('&'))}`
}

/** As it is written where only the case differs: the URL standard would have it in lower case. */
function hostOf(place: string, { host, hostname }: URL): string {
  const written = place.replace(/:\d*$/s, '')
  return written.toLowerCase() === hostname ? `${written}${host.slice(hostname.length)}` : host
}

function credentialsOf(text: string, info: string): readonly [user: string, password: string | undefined] {
  if (/%00/.test(info)) throw wrongUrl(text, 'its user or password has a character that is none')
  const colon = info.indexOf(':')
  const user = percentDecode(colon === -1 ? info : info.slice(0, colon))
  return [user, colon === -1 ? undefined : percentDecode(info.slice(colon + 1))]
}

const wrongUrl = (text: string, why: string): CurlFailure =>
  new CurlFailure('url', `Cannot use the URL ${shownUrl(text)}: ${why}`)
const wrongProtocol = (text: string, scheme: string): CurlFailure =>
  new CurlFailure('unsupportedProtocol', `Cannot use ${shownUrl(text)}: the protocol ${scheme} is not one of HTTP`)
