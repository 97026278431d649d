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
