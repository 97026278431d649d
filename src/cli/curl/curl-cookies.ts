import { messageOf } from '../../base/index.js'
import { CookieJar } from '../../client/index.js'
import { parseCookieLines } from './cookie-lines.js'
import type { CurlLine } from './curl-line.js'
import { toFieldBytes } from './header-lines.js'
import type { Narration } from './narration.js'
import { readSource } from './source-files.js'

/** The cookies of one command line: those it says, those of a file, and those that come. */
export class CurlCookies {
  /** `undefined` where nothing is kept: neither a file is read nor one is written. */
  readonly #jar: CookieJar | undefined
  readonly #said: string
  readonly #saveAt: string | undefined
  /** Of heads in a file, without a domain: they belong to the first host that is asked, and are not written. */
  readonly #ofFirst = new CookieJar()
  #unplaced: readonly string[]
  /** Those that come behind another --next, where this line has no use for them. */
  readonly #others: readonly unknown[]

  private constructor(
    jar: CookieJar | undefined,
    said: string,
    saveAt: string | undefined,
    unplaced: readonly string[] = [],
    others: readonly unknown[] = [],
  ) {
    this.#others = others
    this.#jar = jar
    this.#unplaced = unplaced
    this.#said = said
    this.#saveAt = saveAt
  }

  /** `--cookie` with a `=` in it is cookies, and a file without. One that is not there begins an empty jar. Cookies of the line
   * `before` are kept. */
  static async of(line: CurlLine, narration: Narration, before?: CurlCookies): Promise<CurlCookies> {
    const given = line.texts('cookie')
    const said = given.filter((text) => text.includes('=')).join(';')
    const files = given.filter((text) => !text.includes('='))
    const saveAt = line.text('cookie-jar')
    const kept = before === undefined ? [] : before.#kept
    if (files.length === 0 && saveAt === undefined) return new CurlCookies(undefined, said, saveAt, [], kept)
    const texts = await Promise.all(files.map((path) => textOf(path, narration)))
    const read = texts.map(parseCookieLines)
    const setCookies = read.flatMap((each) => each.setCookies)
    let jar = await CookieJar.fromJSON({
      cookies: [...kept, ...read.flatMap(({ stored }) => stored)],
    }).catch((error: unknown) => {
      narration.warn(`--cookie is passed over: ${messageOf(error)}`)
      return new CookieJar()
    })
    for (const value of setCookies) {
      const domain = domainOf(value)
      if (domain !== undefined) await jar.store(`https://${domain}/`, [value]).catch(() => undefined)
    }
    if (line.has('junk-session-cookies')) {
      const { cookies } = jar.toJSON()
      jar = await CookieJar.fromJSON({ cookies: cookies.filter(({ expiresMs }) => expiresMs !== undefined) })
    }
    return new CurlCookies(
      jar,
      said,
      saveAt,
      setCookies.filter((value) => domainOf(value) === undefined),
    )
  }

  get #kept(): readonly unknown[] {
    return this.#jar?.toJSON().cookies ?? this.#others
  }

  /** Those of the jar first. */
  async headerFor(url: string): Promise<string | undefined> {
    if (this.#unplaced.length > 0) await this.#ofFirst.store(new URL('/', url).href, this.#unplaced)
    this.#unplaced = []
    const kept = await this.#jar?.cookieHeader(url)
    const all = [kept, await this.#ofFirst.cookieHeader(url), this.#said]
      .filter((text) => text !== undefined && text !== '')
      .join('; ')
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

/** A file that is not there begins an empty jar. */
async function textOf(path: string, narration: Narration): Promise<string> {
  if (path === '') return ''
  try {
    return (await readSource(path)).toString()
  } catch (error) {
    narration.note(`--cookie has no cookies: ${messageOf(error)}`)
    return ''
  }
}

const domainOf = (setCookie: string): string | undefined => /;\s*domain\s*=\s*\.?([^;\s]+)/i.exec(setCookie)?.[1]
