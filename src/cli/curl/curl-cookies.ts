import { existsSync, readFileSync } from 'node:fs'
import { CookieJar } from '../../client/index.js'
import type { CurlLine } from './curl-line.js'
import { toFieldBytes } from './header-lines.js'

/** The cookies of one command line: those it says, those of a file, and those that come. */
export class CurlCookies {
  /** `undefined` where nothing is kept: neither a file is read nor one is written. */
  readonly #jar: CookieJar | undefined
  readonly #said: string
  readonly #saveAt: string | undefined

  private constructor(jar: CookieJar | undefined, said: string, saveAt: string | undefined) {
    this.#jar = jar
    this.#said = said
    this.#saveAt = saveAt
  }

  /** `--cookie` with a `=` in it is cookies, and a file without. One that is not there begins an empty jar. */
  static async of(line: CurlLine): Promise<CurlCookies> {
    const given = line.texts('cookie')
    const said = given.filter((text) => text.includes('=')).join(';')
    const files = given.filter((text) => !text.includes('='))
    const saveAt = line.text('cookie-jar')
    if (files.length === 0 && saveAt === undefined) return new CurlCookies(undefined, said, saveAt)
    let jar = new CookieJar()
    for (const path of files) if (path !== '' && existsSync(path) && isCookieFile(path)) await jar.load(path)
    if (line.has('junk-session-cookies')) {
      const { cookies } = jar.toJSON()
      jar = await CookieJar.fromJSON({ cookies: cookies.filter(({ expiresMs }) => expiresMs !== undefined) })
    }
    return new CurlCookies(jar, said, saveAt)
  }

  /** Those of the jar first. */
  async headerFor(url: string): Promise<string | undefined> {
    const kept = await this.#jar?.cookieHeader(url)
    const all = [kept, this.#said].filter((text) => text !== undefined && text !== '').join('; ')
    return all === '' ? undefined : toFieldBytes(all)
  }

  async store(url: string, setCookies: readonly string[]): Promise<void> {
    await this.#jar?.store(url, setCookies)
  }

  async save(write: (text: string) => Promise<void>): Promise<void> {
    if (this.#saveAt === undefined || this.#jar === undefined) return
    if (this.#saveAt !== '-') return this.#jar.save(this.#saveAt, { format: 'netscape' })
    const rows = this.#jar
      .toJSON()
      .cookies.map(({ name, value, domain, hostOnly, path, secure, httpOnly, expiresMs }) =>
        [
          `${httpOnly ? '#HttpOnly_' : ''}${hostOnly ? '' : '.'}${domain}`,
          hostOnly ? 'FALSE' : 'TRUE',
          path,
          secure ? 'TRUE' : 'FALSE',
          expiresMs === undefined ? 0 : Math.floor(expiresMs / 1000),
          name,
          value,
        ].join('\t'),
      )
    await write(rows.map((row) => `${row}\n`).join(''))
  }
}

/** What has no line of seven fields is no file of cookies: curl passes over it without a word. */
const isCookieFile = (path: string): boolean => /^\s*\{|^[^\n]*(?:\t[^\n\t]*){6}$/m.test(readFileSync(path, 'utf8'))
