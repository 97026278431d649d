import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { UsageError } from '../base/errors.js'
import { formatChallenge } from '../engine/http/authorization.js'
import { tryParseBasicCredentials, type BasicCredentials } from '../engine/http/basic.js'
import { Allowance } from './allowance.js'
import { around, toHttpFunction, type HttpFunction, type HttpHandlerSource } from './handlers.js'
import type { HttpRequest } from './request.js'
import { HttpError } from './response.js'

/** As OWASP has it for interactive logins: 16 MiB of memory and about 50 ms of a core for each guess. */
const COST = { N: 16_384, r: 8, p: 1 }
const KEY_BYTES = 32
const SALT_BYTES = 16
const HASH = /^scrypt:([A-Za-z\d+/]+={0,2}):([A-Za-z\d+/]+={0,2})$/

/** Passwords that were wrong and are not computed again when they come once more: a browser that reloads, say. */
const MAX_WRONG = 256

interface PasswordHash {
  readonly salt: Buffer
  readonly key: Buffer
}

function deriveKey(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, COST, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}

/** What is kept of a password: a salted hash (scrypt), as text for `withBasicAuth`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  return `scrypt:${salt.toString('base64')}:${(await deriveKey(password, salt)).toString('base64')}`
}

function parseHash(user: string, text: string): PasswordHash {
  const [, salt = '', key = ''] = HASH.exec(text) ?? []
  const hash = { salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') }
  if (hash.salt.length < SALT_BYTES || hash.key.length !== KEY_BYTES)
    throw new UsageError(
      'ERR_ARGUMENT',
      `Cannot use the account ${JSON.stringify(user)}: expected what hashPassword made`,
    )
  return hash
}

/**
 * Lets only those in who have an account (RFC 7617), and answers others with 401. `accounts` has a hash of `hashPassword`
 * for each user. Basic sends the password with each request: use TLS where others can listen.
 *
 * Who was let in once costs a keyed hash for each further request. A new password costs 50 ms of a core, off this thread,
 * one at a time, and once for all who send it meanwhile; each address may try 10 and then one a second, all together 20 and then 5 a second. More are answered
 * with 429 and not looked at, so guessing cannot use up the processor.
 * @throws UsageError `ERR_ARGUMENT` for what is no hash, or no account.
 * @example
 * withBasicAuth(files('public'), { ann: await hashPassword('correct horse') })
 */
export function withBasicAuth(
  source: HttpHandlerSource,
  accounts: Readonly<Record<string, string>>,
  { realm = 'files' }: { readonly realm?: string } = {},
): HttpFunction {
  const handler = toHttpFunction(source)
  const hashes = new Map(Object.entries(accounts).map(([user, text]) => [user, parseHash(user, text)]))
  if (hashes.size === 0) throw new UsageError('ERR_ARGUMENT', 'Cannot guard the handler: there is no account')
  const guard = new Guard(hashes, realm)
  return around(handler, (request, server) => {
    const waiting = guard.admit(request)
    return waiting === undefined ? handler(request, server) : waiting.then(() => handler(request, server))
  })
}

class Guard {
  readonly #accounts: ReadonlyMap<string, PasswordHash>
  readonly #challenge: string
  /** What is remembered of a password is of no use outside of this process. */
  readonly #secret = randomBytes(KEY_BYTES)
  readonly #decoy: PasswordHash = { salt: randomBytes(SALT_BYTES), key: randomBytes(KEY_BYTES) }
  #admitted: readonly Buffer[] = []
  readonly #wrong = new Set<string>()
  /** What is being computed: who sends the same meanwhile, as a browser does on its connections, waits for that. */
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #guesses = new Allowance()
  #last: Promise<unknown> = Promise.resolve()

  constructor(accounts: ReadonlyMap<string, PasswordHash>, realm: string) {
    this.#accounts = accounts
    const parameters = new Map([
      ['realm', realm],
      ['charset', 'UTF-8'],
    ])
    this.#challenge = formatChallenge({ scheme: 'Basic', parameters })
  }

  /** `undefined` for who is known already. @throws HttpError 401, 429. */
  admit(request: HttpRequest): Promise<void> | undefined {
    const field = request.headers.get('authorization')
    const credentials = tryParseBasicCredentials(field ?? '')
    if (field === undefined || credentials === undefined) throw this.#refusal()
    const mark = createHmac('sha256', this.#secret).update(field).digest()
    if (this.#admitted.some((known) => timingSafeEqual(known, mark))) return undefined
    const key = mark.toString('base64')
    if (this.#wrong.has(key)) throw this.#refusal()
    const same = this.#underWay.get(key)
    if (same !== undefined) return same
    const { remote } = request
    if (!this.#guesses.take(remote.kind === 'ip' ? remote.host : '', performance.now()))
      throw new HttpError(429, 'Too many passwords were tried', { headers: { 'Retry-After': '5' } })
    const checking = this.#last.then(() => this.#check(credentials, mark, key))
    this.#underWay.set(key, checking)
    this.#last = checking.catch(() => undefined).then(() => this.#underWay.delete(key))
    return checking
  }

  async #check({ user, password }: BasicCredentials, mark: Buffer, key: string): Promise<void> {
    const account = this.#accounts.get(user)
    // Who has no account waits as long as who has one.
    const { salt, key: expected } = account ?? this.#decoy
    const isRight = timingSafeEqual(await deriveKey(password, salt), expected)
    if (isRight && account !== undefined) {
      // A few for each account: the same password can be written in more than one way.
      this.#admitted = [mark, ...this.#admitted].slice(0, 4 * this.#accounts.size)
      return
    }
    const [oldest] = this.#wrong
    if (this.#wrong.size === MAX_WRONG && oldest !== undefined) this.#wrong.delete(oldest)
    this.#wrong.add(key)
    throw this.#refusal()
  }

  #refusal(): HttpError {
    return new HttpError(401, 'A user and a password are needed', { headers: { 'WWW-Authenticate': this.#challenge } })
  }
}
