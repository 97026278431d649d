import { readFileSync } from 'node:fs'
import { messageOf, UsageError } from '../../base/index.js'
import { basic, bearer, digest, Netrc, readNetrc, type Auth } from '../../client/index.js'
import type { CurlLine } from './curl-line.js'
import type { CurlUrl } from './curl-url.js'
import { CurlFailure } from './exit-codes.js'

/** Who one is to a server, or to a proxy, and how that is proven. */
export class Credentials {
  readonly #user: string
  readonly #password: string
  readonly #way: 'basic' | 'digest' | 'any'
  #auth: Auth | undefined
  #isSettled: boolean

  constructor(user: string, password: string, way: 'basic' | 'digest' | 'any') {
    this.#user = user
    this.#password = password
    this.#way = way
    this.#isSettled = way === 'basic'
    this.#auth = way === 'basic' ? basic(user, password) : way === 'digest' ? digest(user, password) : undefined
  }

  /** The first request only asks what is wanted: its body stays here. */
  get holdsBody(): boolean {
    return this.#way === 'digest' && !this.#isSettled
  }

  async authorize(request: Request, wanted?: readonly string[]): Promise<string | undefined> {
    if (wanted !== undefined && this.#auth === undefined) {
      const isDigest = wanted.some((value) => /(?:^|,\s*)digest\s/i.test(value))
      const isBasic = wanted.some((value) => /(?:^|,\s*)basic(?:\s|$)/i.test(value))
      if (!isDigest && !isBasic) return undefined
      this.#auth = isDigest ? digest(this.#user, this.#password) : basic(this.#user, this.#password)
      if (!isDigest) return this.#auth.authorize({ ...request, body: undefined, wanted: undefined, sent: undefined })
    }
    const value = await this.#auth?.authorize({ ...request, body: undefined, wanted, sent: undefined })
    if (value !== undefined) this.#isSettled = true
    return value
  }
}

interface Request {
  readonly method: string
  readonly target: string
  readonly origin: string
  readonly hostname: string
}

/** What the first request of a URL is sent with; `undefined` for nothing. */
export async function credentialsOf(line: CurlLine, url: CurlUrl): Promise<Credentials | Bearer | undefined> {
  const token = line.text('oauth2-bearer')
  if (token !== undefined) return new Bearer(token)
  const given = line.text('user')
  if (given !== undefined) {
    const colon = given.indexOf(':')
    if (colon === -1)
      throw new UsageError(
        'ERR_OPTION_VALUE',
        'Cannot use --user without a password: write user:password, or user: for none',
      )
    return new Credentials(given.slice(0, colon), given.slice(colon + 1), wayOf(line))
  }
  return credentialsBeside(line, url)
}

/** Those of the URL itself, or of .netrc: also for where a redirect leads. */
export async function credentialsBeside(line: CurlLine, url: CurlUrl): Promise<Credentials | undefined> {
  const way = wayOf(line)
  if (url.user !== undefined && url.password !== undefined) return new Credentials(url.user, url.password, way)
  const isSaid = line.has('user') || line.has('oauth2-bearer')
  const netrc = isSaid ? undefined : await netrcOf(line)
  const found = netrc?.find(url.hostname, url.user === '' ? undefined : url.user)
  if (found?.login !== undefined) return new Credentials(found.login, found.password ?? '', way)
  return url.user === undefined ? undefined : new Credentials(url.user, '', way)
}

const wayOf = (line: CurlLine): 'basic' | 'digest' | 'any' =>
  line.has('digest') ? 'digest' : line.has('anyauth') ? 'any' : 'basic'

async function netrcOf(line: CurlLine): Promise<Netrc | undefined> {
  const path = line.text('netrc-file')
  if (path === undefined)
    return line.has('netrc') || line.has('netrc-optional') ? readNetrc(process.env, process.env['HOME']) : undefined
  try {
    return new Netrc(readFileSync(path, 'utf8'), path)
  } catch (cause) {
    throw new CurlFailure('read', `Cannot use --netrc-file ${path}: ${messageOf(cause)}`, cause)
  }
}

/** A token: there is nothing to ask for. */
export class Bearer {
  readonly holdsBody = false
  readonly #auth: Auth

  constructor(token: string) {
    this.#auth = bearer(token)
  }

  async authorize(request: Request, wanted?: readonly string[]): Promise<string | undefined> {
    return this.#auth.authorize({ ...request, body: undefined, wanted, sent: undefined })
  }
}
