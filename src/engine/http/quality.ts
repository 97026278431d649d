import { EQUALS, Scanner, SEMICOLON } from './_scanner.js'
import { tryParseList } from './list.js'

/** A member of Accept-Encoding, Accept-Language, Accept-Charset or TE, in lower case, and how much it is wanted. */
export interface Weighted {
  readonly value: string
  /** From 0, not acceptable, to 1. */
  readonly quality: number
}

const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/** RFC 9110 §12.4.2: 0 to 1 with at most three decimals; `undefined` for anything else. */
export function tryParseQuality(text: string): number | undefined {
  return QUALITY.test(text) ? Number(text) : undefined
}

/** RFC 9110 §12.4.2: a list of tokens, each with or without `;q=`. `undefined` when any member is malformed. */
export function tryParseWeighted(value: string): readonly Weighted[] | undefined {
  const members = tryParseList(value)
  if (members === undefined) return undefined
  const found: Weighted[] = []
  for (const member of members) {
    const weighted = tryParseMember(member)
    if (weighted === undefined) return undefined
    found.push(weighted)
  }
  return found
}

function tryParseMember(member: string): Weighted | undefined {
  const scanner = new Scanner(member)
  const value = scanner.token().toLowerCase()
  if (value === '') return undefined
  if (scanner.isDone) return { value, quality: 1 }
  scanner.skipSpace()
  if (!scanner.take(SEMICOLON)) return undefined
  scanner.skipSpace()
  if (scanner.token().toLowerCase() !== 'q' || !scanner.take(EQUALS)) return undefined
  const quality = tryParseQuality(scanner.text.slice(scanner.at))
  return quality === undefined ? undefined : { value, quality }
}
