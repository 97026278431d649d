import { isToken, trimSpace } from '../http/characters.js'
import { tryParseList, tryUnquote } from '../http/list.js'

/** One extension with its parameters, in the order they came; `true` for one without a value. */
export interface Extension {
  readonly name: string
  readonly parameters: ReadonlyMap<string, string | true>
  /** A parameter came more than once: the first is told. permessage-deflate has no such (RFC 7692 §7). */
  readonly repeats: boolean
}

/** More are not read: browsers offer one, and this package knows one. */
const MAX_EXTENSIONS = 16
const MAX_PARAMETERS = 16
/** A parameter behind its semicolon: a quoted value holds a token, so no semicolon. */
const PARAMETER = /^([^ \t=]+)(?:[ \t]*=[ \t]*([^ \t]+))?$/

/** RFC 6455 §9.1: `Sec-WebSocket-Extensions`. `undefined` for what is malformed or too long. */
export function tryParseExtensions(value: string): readonly Extension[] | undefined {
  const members = tryParseList(value, MAX_EXTENSIONS)
  if (members === undefined) return undefined
  const extensions: Extension[] = []
  for (const member of members) {
    const [name = '', ...rest] = member.split(';').map(trimSpace)
    if (!isToken(name) || rest.length > MAX_PARAMETERS) return undefined
    const parameters = new Map<string, string | true>()
    for (const part of rest) {
      const [, key = '', given] = PARAMETER.exec(part) ?? []
      const plain = given === undefined ? true : given.startsWith('"') ? tryUnquote(given) : given
      if (!isToken(key) || plain === undefined || (plain !== true && !isToken(plain))) return undefined
      if (!parameters.has(key)) parameters.set(key, plain)
    }
    extensions.push({ name, parameters, repeats: parameters.size < rest.length })
  }
  return extensions
}
