import { checkArgument, parsed } from './_refuse.js'
import { COMMA, EQUALS, Scanner } from './_scanner.js'
import { byteSet, DIGITS, isToken, LOWER, TOKEN_BYTES, UPPER, type ByteSet } from './characters.js'
import { MAX_LIST_MEMBERS, quote, type Parameters } from './list.js'

/** RFC 9110 §11.4: what a client shows for itself. It has a `token68` or parameters, or neither. */
export interface Credentials {
  /** `basic`, `bearer`, `digest`: in lower case when it was read. */
  readonly scheme: string
  readonly token68?: string | undefined
  /** By name in lower case. */
  readonly parameters: Parameters
}

/** RFC 9110 §11.3: what a server asks for. It looks as credentials do. */
export type Challenge = Credentials

interface Found {
  readonly scheme: string
  token68?: string
  readonly parameters: Map<string, string>
}

const TOKEN68_BYTES: ByteSet = byteSet(DIGITS, UPPER, LOWER, '-._~+/')

/**
 * RFC 9110 §11.6.1: the challenges of a WWW-Authenticate or Proxy-Authenticate field. Commas part both challenges and
 * parameters; a member with `=` behind its first word goes on with the challenge before it.
 *
 * `undefined` when it is malformed, has a parameter twice in a challenge, or more than 100 members in all.
 */
export function tryParseChallenges(value: string): readonly Challenge[] | undefined {
  const scanner = new Scanner(value)
  const found: Found[] = []
  for (let count = 1; count <= MAX_LIST_MEMBERS; count += 1) {
    scanner.skipSpace()
    if (!scanner.isDone && scanner.next !== COMMA && !readMember(scanner, found)) return undefined
    scanner.skipSpace()
    if (scanner.isDone) return found
    if (!scanner.take(COMMA)) return undefined
  }
  return undefined
}

/** As `tryParseChallenges`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseChallenges(value: string): readonly Challenge[] {
  return parsed(tryParseChallenges(value), 'challenges', value, 'RFC 9110 §11.6.1')
}

/** RFC 9110 §11.6.2: Authorization or Proxy-Authorization; `undefined` when malformed, or more than one. */
export function tryParseCredentials(value: string): Credentials | undefined {
  if (TOKEN_BYTES[value.charCodeAt(0)] !== 1) return undefined
  const [credentials, ...others] = tryParseChallenges(value) ?? []
  if (others.length > 0 || (credentials?.token68 !== undefined && value.includes(','))) return undefined
  return credentials
}

/** As `tryParseCredentials`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseCredentials(value: string): Credentials {
  return parsed(tryParseCredentials(value), 'credentials', undefined, 'RFC 9110 §11.6.2')
}

/** A parameter of the last challenge, or a scheme with or without what begins it. */
function readMember(scanner: Scanner, found: Found[]): boolean {
  const name = scanner.token()
  const spaces = scanner.skipSpace()
  if (scanner.next === EQUALS) return readParameter(scanner, name, found.at(-1))
  if (name === '') return false
  const challenge: Found = { scheme: name.toLowerCase(), parameters: new Map() }
  found.push(challenge)
  if (scanner.isDone || scanner.next === COMMA) return true
  if (spaces === 0) return false
  const from = scanner.at
  const token68 = readToken68(scanner)
  if (token68 !== undefined) {
    challenge.token68 = token68
    return true
  }
  scanner.at = from
  const first = scanner.token()
  scanner.skipSpace()
  return readParameter(scanner, first, challenge)
}

/** RFC 9110 §11.2: up to the end of the member; `undefined` when something else stands there. */
function readToken68(scanner: Scanner): string | undefined {
  let text = scanner.takeAll(TOKEN68_BYTES)
  if (text === '') return undefined
  while (scanner.take(EQUALS)) text += '='
  scanner.skipSpace()
  return scanner.isDone || scanner.next === COMMA ? text : undefined
}

/** From the `=` on. */
function readParameter(scanner: Scanner, name: string, challenge: Found | undefined): boolean {
  if (name === '' || challenge === undefined || challenge.token68 !== undefined || !scanner.take(EQUALS)) return false
  scanner.skipSpace()
  const value = scanner.tokenOrQuoted()
  const key = name.toLowerCase()
  if (value === undefined || challenge.parameters.has(key)) return false
  challenge.parameters.set(key, value)
  return true
}

/** RFC 7616 §3.3 and §3.4: parameters of Digest that are never sent in quotes. All others, of any scheme, always are. */
const BARE_IN_CHALLENGES: ReadonlySet<string> = new Set(['stale', 'algorithm', 'userhash'])
const BARE_IN_CREDENTIALS: ReadonlySet<string> = new Set(['algorithm', 'qop', 'nc', 'userhash', 'username*'])

/** RFC 9110 §11.6.1, one challenge. @throws UsageError `ERR_ARGUMENT` for what cannot be read back. */
export function formatChallenge(challenge: Challenge): string {
  return format(challenge, 'challenge', BARE_IN_CHALLENGES)
}

/** RFC 9110 §11.6.2. @throws UsageError `ERR_ARGUMENT` for what cannot be read back. */
export function formatCredentials(credentials: Credentials): string {
  return format(credentials, 'credentials', BARE_IN_CREDENTIALS)
}

function format({ scheme, token68, parameters }: Credentials, what: string, bare: ReadonlySet<string>): string {
  checkArgument(isToken(scheme), what, scheme, 'a token for a scheme')
  if (token68 !== undefined) {
    checkArgument(isToken68(token68) && parameters.size === 0, what, scheme, 'a token68 of its grammar, or parameters')
    return `${scheme} ${token68}`
  }
  const members: string[] = []
  for (const [name, value] of parameters) {
    checkArgument(isToken(name), what, name, 'a token for a name')
    members.push(`${name}=${bare.has(name.toLowerCase()) && isToken(value) ? value : quote(value)}`)
  }
  return members.length === 0 ? scheme : `${scheme} ${members.join(', ')}`
}

function isToken68(text: string): boolean {
  const scanner = new Scanner(text)
  return readToken68(scanner) === text && scanner.isDone
}
