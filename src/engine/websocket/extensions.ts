import { isToken } from '../http/characters.js'
import { tryParseList, tryUnquote } from '../http/list.js'

/** One extension with its parameters, in the order they came; `true` for one without a value. */
export interface Extension {
  readonly name: string
  readonly parameters: ReadonlyMap<string, string | true>
}

/** More are not read: browsers offer one, and this package knows one. */
const MAX_EXTENSIONS = 16
const MAX_PARAMETERS = 16
/** A parameter behind its semicolon: a quoted value holds a token, so no semicolon. */
const PARAMETER = /^\s*([^\s=]+)\s*(?:=\s*(\S+)\s*)?$/

/** RFC 6455 §9.1: `Sec-WebSocket-Extensions`. `undefined` for what is malformed, names a parameter twice, or is too long. */
export function tryParseExtensions(value: string): readonly Extension[] | undefined {
  const members = tryParseList(value, MAX_EXTENSIONS)
  if (members === undefined) return undefined
  const extensions: Extension[] = []
  for (const member of members) {
    const [name = '', ...rest] = member.split(';')
    if (!isToken(name.trim()) || rest.length > MAX_PARAMETERS) return undefined
    const parameters = new Map<string, string | true>()
    for (const part of rest) {
      const [, key = '', given] = PARAMETER.exec(part) ?? []
      const plain = given === undefined ? true : given.startsWith('"') ? tryUnquote(given) : given
      if (!isToken(key) || plain === undefined || (plain !== true && !isToken(plain)) || parameters.has(key))
        return undefined
      parameters.set(key, plain)
    }
    extensions.push({ name: name.trim(), parameters })
  }
  return extensions
}
