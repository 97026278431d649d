import { encodeField, fieldPairs, type FieldInit } from '../engine/http/fields.js'

export type FieldPair = readonly [name: string, value: string]

/**
 * Fields of which more do not take the place of those that are there: each stands for itself. Of several content security
 * policies all hold, so another one never loosens what an answer has.
 */
const REPEATED: ReadonlySet<string> = new Set([
  'set-cookie',
  'link',
  'www-authenticate',
  'server-timing',
  'content-security-policy',
  'content-security-policy-report-only',
])

/**
 * The fields of an answer with those that are added to it: an added field takes the place of the one of its name, as a
 * client would read a field twice that may stand once; those that may stand several times are kept, and Vary has the
 * names of both (RFC 9110 §5.2, §12.5.5).
 */
export function addPairs(own: FieldInit, added: readonly FieldPair[]): readonly FieldPair[] {
  const names = new Set(added.map(([name]) => name.toLowerCase()).filter((name) => !REPEATED.has(name)))
  const vary: string[] = []
  const kept: FieldPair[] = []
  for (const pair of fieldPairs(own)) {
    const name = pair[0].toLowerCase()
    if (!names.has(name)) kept.push(pair)
    else if (name === 'vary') vary.push(pair[1])
  }
  return [...kept, ...added.map((pair) => (pair[0].toLowerCase() === 'vary' ? withVary(pair, vary) : pair))]
}

function withVary([name, value]: FieldPair, before: readonly string[]): FieldPair {
  const members = new Map<string, string>()
  for (const member of [...before, value].flatMap((list) => list.split(','))) {
    const trimmed = member.trim()
    if (trimmed !== '' && !members.has(trimmed.toLowerCase())) members.set(trimmed.toLowerCase(), trimmed)
  }
  return [name, [...members.values()].join(', ')]
}

/** The same of lines as they are sent; `lines` are those of `added`. Nearly always they have no name in common. */
export function addLines(own: string, added: readonly FieldPair[], lines: string): string {
  if (!hasCommonName(own, added)) return own + lines
  const pairs: FieldPair[] = []
  for (const line of own.split('\r\n').slice(0, -1)) {
    const colon = line.indexOf(':')
    pairs.push([line.slice(0, colon), line.slice(colon + 2)])
  }
  return addPairs(pairs, added)
    .map(([name, value]) => encodeField(name, value))
    .join('')
}

function hasCommonName(lines: string, added: readonly FieldPair[]): boolean {
  for (let at = 0; at < lines.length; at = lines.indexOf('\n', at) + 1) {
    const length = lines.indexOf(':', at) - at
    for (const [name] of added) {
      if (name.length === length && name.toLowerCase() === lines.slice(at, at + length).toLowerCase()) return true
    }
  }
  return false
}
