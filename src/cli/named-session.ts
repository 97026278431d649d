import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { errorCodeOf, messageOf, UsageError } from '../base/index.js'
import { CookieJar, parseTarget, replaceWhole } from '../client/index.js'

/** What a named session keeps between two commands. */
interface Kept {
  readonly cookies?: unknown
  readonly auth?: string | undefined
  readonly authType?: string | undefined
  /** That the credentials are for; no other is told them. */
  readonly origin?: string | undefined
}

/** Cookies and credentials that commands share by a name, one for each host: in a file for this user alone. */
export class NamedSession {
  readonly path: string
  readonly cookies: CookieJar
  readonly auth: string | undefined
  readonly authType: string | undefined

  readonly #kept: Kept
  readonly #origin: string

  private constructor(path: string, cookies: CookieJar, kept: Kept, origin: string) {
    this.path = path
    this.cookies = cookies
    this.#kept = kept
    this.#origin = origin
    const isOfOrigin = kept.origin === origin
    this.auth = isOfOrigin ? kept.auth : undefined
    this.authType = isOfOrigin ? kept.authType : undefined
  }

  /** A name with a "/" is the path of the file. @throws UsageError `ERR_OPTION_VALUE`. */
  static async open(name: string, url: string, env: NodeJS.ProcessEnv = process.env): Promise<NamedSession> {
    const path = name.includes('/') ? name : pathOf(name, url, env)
    const kept = read(path)
    const cookies = kept.cookies === undefined ? new CookieJar() : await CookieJar.fromJSON(kept.cookies)
    return new NamedSession(path, cookies, kept, originFor(url))
  }

  /** With the credentials that were given now, in place of those that were kept. @throws what the file system says. */
  async save({ auth, authType }: Pick<Kept, 'auth' | 'authType'>): Promise<void> {
    const { auth: before, authType: typeBefore, origin } = this.#kept
    const credentials =
      auth === undefined ? { auth: before, authType: typeBefore, origin } : { auth, authType, origin: this.#origin }
    const kept: Kept = { cookies: this.cookies.toJSON(), ...(credentials.auth === undefined ? {} : credentials) }
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    await replaceWhole(this.path, `${JSON.stringify(kept, undefined, 2)}\n`)
  }
}

function pathOf(name: string, url: string, env: NodeJS.ProcessEnv): string {
  if (!/^[\w.-]+$/.test(name) || /^\.+$/.test(name))
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot use --session ${JSON.stringify(name.slice(0, 64))}: a name is letters, digits, ".", "-" and "_"; a path has a "/"`,
    )
  const config = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? '.', '.config')
  return join(config, 'moorage/sessions', folderOf(url), `${name}.json`)
}

/** Each Unix socket is an origin of its own, wherever its path is said from. @throws UsageError `ERR_URL`. */
function originFor(url: string): string {
  const { endpoint, origin } = parseTarget(url)
  return endpoint.scheme === 'unix' ? `unix:${resolve(endpoint.path)}` : origin
}

/** One for each host, and for each Unix socket: paths that are alike when they are names have another digest. */
function folderOf(url: string): string {
  const { host } = new URL(url)
  if (host !== '') return host.replaceAll(/[^\w.-]/g, '_')
  const origin = originFor(url)
  const digest = createHash('sha256').update(origin).digest('hex').slice(0, 16)
  return `unix-${basename(origin).replaceAll(/[^\w.-]/g, '_')}-${digest}`
}

function read(path: string): Kept {
  try {
    const kept: Kept | null = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof kept !== 'object' || kept === null) throw new Error('it is no session')
    return kept
  } catch (cause) {
    if (errorCodeOf(cause) === 'ENOENT') return {}
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use the session ${path}: ${messageOf(cause)}`, { cause })
  }
}
