import { createHash } from 'node:crypto'
import { formatBasicCredentials } from '../engine/http/basic.js'
import { DigestAuth } from './digest.js'
import type { Environment } from './environment.js'
import { readNetrc, type Netrc } from './netrc.js'
import type { OutgoingBody } from './outgoing-body.js'

/** A request that may need credentials. */
export interface Challenged {
  readonly method: string
  /** As it stands in the first line of the request. */
  readonly target: string
  readonly origin: string
  readonly hostname: string
  readonly body: OutgoingBody | undefined
  /** `WWW-Authenticate`, line by line, of the answer to this request; `undefined` before there was one. */
  readonly wanted: readonly string[] | undefined
  /** The credentials that were answered so. */
  readonly sent: string | undefined
}

/** A way to prove who one is. Made by `basic`, `bearer` and `digest`, or your own. */
export interface Auth {
  /** The same for the same user: responses are cached for it alone. Without it none is cached. */
  readonly identity?: string | undefined
  /**
   * The value of `Authorization`, and `undefined` to send none. It is called before a request is sent, and again with what
   * the server wants when it answers 401: the request is sent again with a value, and its 401 is the answer without.
   */
  authorize(request: Challenged): string | undefined | Promise<string | undefined>
  /** `Authentication-Info` of an answer. */
  receiveInfo?(origin: string, value: string): void
}

/** Names of fields that say who asks: `Cookie`, `Authorization`, `X-Api-Key`, `X-Auth-Token`, … */
export const isCredential = (name: string): boolean => /^cookie$|auth|token|api-?key|secret|session|passw/i.test(name)

/** Whose response it is: a digest of what says who asks; `undefined` where that is not known beforehand. */
export function identityOf(
  auth: Auth | undefined,
  fields: Iterable<readonly [name: string, value: string]>,
): string | undefined {
  const told = [...fields]
    .filter(([name]) => isCredential(name))
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
  if (auth !== undefined && auth.identity === undefined) return undefined
  const secret = [auth?.identity ?? '', ...told].join('\n')
  return secret === '' ? '' : createHash('sha256').update(secret).digest('base64url')
}

/** Once; and once more where nothing was wrong but the age of the nonce (RFC 7616 §3.3). */
export const mayAnswer = (answered: number, wanted: readonly string[]): boolean =>
  answered === 0 || (answered === 1 && wanted.some((value) => /\bstale\s*=\s*"?true\b/i.test(value)))

/** RFC 7617: user and password, with the first request. @throws UsageError `ERR_ARGUMENT` for a user with a colon. */
export function basic(user: string, password: string): Auth {
  const value = formatBasicCredentials({ user, password })
  return { identity: value, authorize: ({ wanted }) => (wanted === undefined ? value : undefined) }
}

/** RFC 6750: a token. With a function it is asked for with each request, and again when the server refuses it. */
export function bearer(token: string | ((isRefused: boolean) => string | Promise<string>)): Auth {
  return {
    identity: typeof token === 'string' ? `Bearer ${token}` : undefined,
    async authorize({ wanted }) {
      if (typeof token === 'string') return wanted === undefined ? `Bearer ${token}` : undefined
      return `Bearer ${await token(wanted !== undefined)}`
    },
  }
}

/**
 * What a `.netrc` says of the host: the file of the environment variable NETRC, or `~/.netrc`; read with the first request.
 * A host that it does not name is sent nothing.
 */
export function netrc(environment: Environment = process.env): Auth {
  let reading: Promise<Netrc | undefined> | undefined
  return {
    async authorize({ hostname, wanted }) {
      if (wanted !== undefined) return undefined
      const found = (await (reading ??= readNetrc(environment, environment['HOME'])))?.find(hostname)
      if (found?.login === undefined) return undefined
      return formatBasicCredentials({ user: found.login, password: found.password ?? '' })
    },
  }
}

/** Servers whose nonces are kept. */
const MAX_ORIGINS = 64

/** RFC 7616: SHA-256, SHA-512/256 or MD5, with or without the body (`auth-int`); the password is not sent. */
export function digest(user: string, password: string): Auth {
  const known = new Map<string, DigestAuth>()
  const of = (origin: string): DigestAuth => {
    let found = known.get(origin)
    if (found === undefined) {
      if (known.size >= MAX_ORIGINS) known.clear()
      known.set(origin, (found = new DigestAuth({ user, password })))
    }
    return found
  }
  return {
    async authorize({ method, target, origin, body, wanted, sent }) {
      const auth = of(origin)
      if (wanted !== undefined && auth.receiveChallenges(wanted, sent) !== 'answer') return undefined
      const algorithm = auth.neededBodyHash
      const bodyHash = algorithm === undefined ? undefined : await hashOf(algorithm, body)
      return auth.authorize({ method, target, bodyHash })
    },
    receiveInfo: (origin, value) => of(origin).receiveInfo(value),
  }
}

async function hashOf(algorithm: string, body: OutgoingBody | undefined): Promise<string | undefined> {
  const hash = createHash(algorithm)
  if (body !== undefined && !body.isReplayable) return undefined
  for await (const piece of body?.open() ?? []) hash.update(piece)
  return hash.digest('hex')
}
