import { fieldPairs } from '../engine/http/fields.js'
import { ACCEPT_ENCODING } from './codings.js'
import type { SessionSettings } from './session-options.js'

export type Pair = readonly [name: string, value: string]

/** Those of every request of a session. */
export function defaultFields({ userAgent, headers }: SessionSettings): readonly Pair[] {
  const made: Pair[] = [['Accept', '*/*']]
  if (typeof userAgent === 'string' && userAgent !== '') made.unshift(['User-Agent', userAgent])
  if (ACCEPT_ENCODING !== '') made.push(['Accept-Encoding', ACCEPT_ENCODING])
  return overlay(made, fieldPairs(headers))
}

/** What stands in the fields of a request alone: an agent by chance, of those that there are. */
export function fieldsOfChance(fields: readonly Pair[], { userAgent }: SessionSettings): readonly Pair[] {
  if (typeof userAgent === 'string') return fields
  const chosen = userAgent[Math.floor(Math.random() * userAgent.length)] ?? ''
  return chosen === '' || fields.some(([name]) => name.toLowerCase() === 'user-agent')
    ? fields
    : [['User-Agent', chosen], ...fields]
}

/** Fields with others in place of those of the same name. One with an empty value takes its name away. */
export function overlay(fields: readonly Pair[], others: Iterable<Pair>): readonly Pair[] {
  const added = [...others]
  if (added.length === 0) return fields
  const names = new Set(added.map(([name]) => name.toLowerCase()))
  return [...fields.filter(([name]) => !names.has(name.toLowerCase())), ...added]
}

/** RFC 6265 §5.4: there is one Cookie field. What the request says itself stands in it first, and counts for its names. */
export function joinCookies(fields: readonly Pair[], ofJar: string): string {
  const own = fields.filter(isCookie).map(([, value]) => value)
  if (own.length === 0) return ofJar
  const names = new Set(own.flatMap((value) => value.split(';').map(cookieName)))
  const others = ofJar.split('; ').filter((cookie) => !names.has(cookieName(cookie)))
  return [...own, ...others].join('; ')
}

const isCookie = ([name]: Pair): boolean => name.toLowerCase() === 'cookie'

/** What is sent, with the cookies of the request alone: those of the jar may be others when it goes out. */
export const withCookiesOf = (own: readonly Pair[], sent: readonly Pair[]): readonly Pair[] => [
  ...sent.filter((pair) => !isCookie(pair)),
  ...own.filter(isCookie),
]

const cookieName = (cookie: string): string => (cookie.split('=', 1)[0] ?? '').trim()
