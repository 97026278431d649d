import { createHash, getHashes, randomBytes } from 'node:crypto'
import { formatCredentials, tryParseChallenges, type Challenge } from '../engine/http/authorization.js'

/** The hashes of RFC 7616 §6.1, by their names in `node:crypto`. */
export type DigestHash = 'md5' | 'sha256' | 'sha512-256'

/** `answer`: send the request again. `refused`: user or password are wrong. `unsupported`: there is nothing to answer. */
export type DigestOutcome = 'answer' | 'refused' | 'unsupported'

export interface DigestRequest {
  readonly method: string
  /** As it stands in the first line of the request. */
  readonly target: string
  /** In hexadecimal, by `neededBodyHash`: of the content as it is sent, without what Transfer-Encoding adds. */
  readonly bodyHash?: string | undefined
}

interface Algorithm {
  readonly hash: DigestHash
  readonly isSession: boolean
}

/**
 * RFC 7616 §3.3: the algorithms, the strongest first. SHA-256 is before SHA-512-256, which is as strong here and which few
 * servers do right (the standard's own example has it wrong, see its erratum 4897).
 */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['sha-256', { hash: 'sha256', isSession: false }],
  ['sha-256-sess', { hash: 'sha256', isSession: true }],
  ['sha-512-256', { hash: 'sha512-256', isSession: false }],
  ['sha-512-256-sess', { hash: 'sha512-256', isSession: true }],
  ['md5', { hash: 'md5', isSession: false }],
  ['md5-sess', { hash: 'md5', isSession: true }],
])
const STRONGEST_FIRST = [...ALGORITHMS.keys()]

interface Accepted extends Algorithm {
  readonly strength: number
  /** As the server wrote it; `undefined` where it wrote none, which means MD5. */
  readonly algorithm: string | undefined
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | undefined
  /** `undefined` for RFC 2069. */
  readonly qop: 'auth' | 'auth-int' | undefined
  readonly isStale: boolean
  readonly isUtf8: boolean
  readonly wantsUserHash: boolean
}

/**
 * RFC 7616: a user's side of Digest with one server, or with one proxy. It keeps the server's nonce, so that the requests
 * that follow need no challenge, and counts how often it was used. One that is printed shows no password.
 *
 * On 401 (or 407) give the challenges to `receiveChallenges`, and on `answer` send the request again with what `authorize`
 * gives; give the Authentication-Info (or Proxy-Authentication-Info) of any answer to `receiveInfo`. What the server proves
 * of itself with `rspauth` is not checked: TLS does that.
 */
export class DigestAuth {
  readonly #user: string
  readonly #password: string
  readonly #makeCnonce: () => string
  #accepted: Accepted | undefined
  #uses = 0
  /** Of the session algorithms, whose key has it: one for each nonce. */
  #sessionCnonce = ''

  /** `makeCnonce` is for tests; by default 128 bits of chance. */
  constructor(
    { user, password }: { readonly user: string; readonly password: string },
    makeCnonce: () => string = () => randomBytes(16).toString('hex'),
  ) {
    this.#user = user
    this.#password = password
    this.#makeCnonce = makeCnonce
  }

  /** The hash that the next request needs of its body: only where the server takes nothing but `auth-int`. */
  get neededBodyHash(): DigestHash | undefined {
    return this.#accepted?.qop === 'auth-int' ? this.#accepted.hash : undefined
  }

  /**
   * Takes over the strongest challenge of WWW-Authenticate or Proxy-Authenticate that is known here. `sent` is what the
   * request carried that was answered with them: credentials that were refused, and not because their nonce was too old
   * (`stale`), would be refused again.
   */
  receiveChallenges(fieldValues: readonly string[], sent: string | undefined): DigestOutcome {
    let best: Accepted | undefined
    for (const value of fieldValues) {
      for (const challenge of tryParseChallenges(value) ?? []) {
        const found = tryAccept(challenge)
        if (found !== undefined && (best === undefined || found.strength < best.strength)) best = found
      }
    }
    if (best === undefined) return 'unsupported'
    if (sent !== undefined && /^digest\s/i.test(sent) && !best.isStale) return 'refused'
    this.#accept(best)
    return 'answer'
  }

  /** RFC 7616 §3.5: the nonce that the next request is to use. Anything else, and what is malformed, is passed over. */
  receiveInfo(fieldValue: string): void {
    // It has the parameters of a challenge, without a scheme before them.
    const nonce = tryParseChallenges(`info ${fieldValue}`)?.[0]?.parameters.get('nextnonce')
    if (nonce !== undefined && this.#accepted !== undefined) this.#accept({ ...this.#accepted, nonce })
  }

  /**
   * RFC 7616 §3.4: the Authorization (or Proxy-Authorization) of a request; `undefined` before there was a challenge, and
   * where the body's hash is needed and is not given. Each call counts as a use of the nonce.
   * @throws UsageError `ERR_ARGUMENT` for a user with control characters.
   */
  authorize({ method, target, bodyHash }: DigestRequest): string | undefined {
    const accepted = this.#accepted
    if (accepted === undefined) return undefined
    const { realm, nonce, opaque, qop, algorithm, wantsUserHash } = accepted
    if (qop === 'auth-int' && bodyHash === undefined) return undefined
    this.#uses += 1
    const count = this.#uses.toString(16).padStart(8, '0')
    const cnonce = accepted.isSession ? this.#sessionCnonce : this.#makeCnonce()
    const hash = (text: string): string => hashHex(accepted.hash, latin1(text))
    const secret = hashHex(accepted.hash, utf8(this.#user), latin1(`:${realm}:`), utf8(this.#password))
    const key = accepted.isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret
    const request = hash(qop === 'auth-int' ? `${method}:${target}:${bodyHash}` : `${method}:${target}`)
    const proof = qop === undefined ? nonce : `${nonce}:${count}:${cnonce}:${qop}`
    const parameters = new Map([this.#username(accepted), ['realm', realm], ['nonce', nonce], ['uri', target]])
    if (qop !== undefined || accepted.isSession) parameters.set('cnonce', cnonce)
    if (qop !== undefined) parameters.set('nc', count).set('qop', qop)
    parameters.set('response', hash(`${key}:${proof}:${request}`))
    if (opaque !== undefined) parameters.set('opaque', opaque)
    if (algorithm !== undefined) parameters.set('algorithm', algorithm)
    if (wantsUserHash) parameters.set('userhash', 'true')
    return formatCredentials({ scheme: 'Digest', parameters })
  }

  #accept(accepted: Accepted): void {
    if (accepted.nonce !== this.#accepted?.nonce) {
      this.#uses = 0
      this.#sessionCnonce = this.#makeCnonce()
    }
    this.#accepted = accepted
  }

  /** RFC 7616 §3.4.4: hashed where the server asks for it; else in UTF-8, by the extended form where it says UTF-8. */
  #username({ hash, realm, wantsUserHash, isUtf8 }: Accepted): [name: string, value: string] {
    if (wantsUserHash) return ['username', hashHex(hash, utf8(this.#user), latin1(`:${realm}`))]
    const bytes = utf8(this.#user)
    if (!isUtf8 || bytes.length === this.#user.length) return ['username', bytes.toString('latin1')]
    return ['username*', `UTF-8''${encodeExtended(this.#user)}`]
  }
}

/** `undefined` for another scheme, an algorithm or a quality of protection that is not known, and what lacks its parts. */
function tryAccept({ scheme, parameters }: Challenge): Accepted | undefined {
  const realm = parameters.get('realm')
  const nonce = parameters.get('nonce')
  if (scheme !== 'digest' || realm === undefined || nonce === undefined) return undefined
  const algorithm = parameters.get('algorithm')
  const name = (algorithm ?? 'md5').toLowerCase()
  const known = ALGORITHMS.get(name)
  const offered = (parameters.get('qop') ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== '')
  const qop = (['auth', 'auth-int'] as const).find((word) => offered.includes(word))
  if (known === undefined || !hasHash(known.hash) || (qop === undefined && offered.length > 0)) return undefined
  const isTrue = (key: string): boolean => parameters.get(key)?.toLowerCase() === 'true'
  return {
    ...known,
    strength: STRONGEST_FIRST.indexOf(name),
    algorithm,
    realm,
    nonce,
    opaque: parameters.get('opaque'),
    qop,
    isStale: isTrue('stale'),
    isUtf8: parameters.get('charset')?.toLowerCase() === 'utf-8',
    wantsUserHash: isTrue('userhash'),
  }
}

let hashes: ReadonlySet<string> | undefined

/** Not every runtime has SHA-512/256. */
const hasHash = (hash: DigestHash): boolean => (hashes ??= new Set(getHashes())).has(hash)

const utf8 = (text: string): Buffer => Buffer.from(text, 'utf8')
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

function hashHex(name: DigestHash, ...parts: readonly Uint8Array[]): string {
  const hash = createHash(name)
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/** RFC 8187 §3.2.1: four characters that a URL may hold have another meaning here. */
const encodeExtended = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
