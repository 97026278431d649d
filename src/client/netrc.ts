import { errorCodeOf, messageOf, NetError } from '../base/errors.js'
import type { Environment } from './environment.js'
import { readWhole } from './whole-file.js'

/** What a .netrc has for a host. */
export interface NetrcEntry {
  readonly login?: string
  readonly password?: string
  readonly account?: string
}

interface Machine {
  /** In lower case; `undefined` for the default. */
  readonly host: string | undefined
  readonly entry: NetrcEntry
}

/** More than anybody keeps by hand; 32 bytes are a short entry. */
const MAX_BYTES = 1024 * 1024

/** A .netrc, parsed once. What is secret of it does not show when it is printed. */
export class Netrc {
  readonly #machines: readonly Machine[]

  /**
   * The grammar of ftp(1), with what curl and Python added: a value may stand in quotes, with `\"`, `\\`, `\n`, `\r` and `\t`
   * in it; a word that begins with `#` where a keyword may stand begins a comment, to the end of its line. Macros are passed
   * over, up to the next empty line.
   *
   * @throws NetError `ERR_NETRC`, with the line and without any value; `shown` is the name of the file for the message.
   */
  constructor(text: string, shown: string = '.netrc') {
    this.#machines = parse(new Words(text, shown))
  }

  /**
   * What stands for this host, or else for `default`. With a `login`, only what has that one, or none. The first that fits
   * counts; the host is compared without its case.
   */
  find(host: string, login?: string): NetrcEntry | undefined {
    const name = host.toLowerCase()
    const fits = ({ entry }: Machine): boolean =>
      login === undefined || entry.login === undefined || entry.login === login
    const isNamed = (machine: Machine): boolean => machine.host === name && fits(machine)
    const isDefault = (machine: Machine): boolean => machine.host === undefined && fits(machine)
    return (this.#machines.find(isNamed) ?? this.#machines.find(isDefault))?.entry
  }
}

/**
 * The .netrc of the environment: the file that `NETRC` names, else `.netrc` in `home`, which may be missing: `undefined`
 * then. Who else may read the file is not looked at, as by curl.
 * @throws NetError `ERR_NETRC`: it cannot be read (also when `NETRC` names no file), is malformed, or has more than 1 MiB.
 */
export async function readNetrc(env: Environment, home: string | undefined): Promise<Netrc | undefined> {
  const named = env['NETRC']
  const isNamed = named !== undefined && named !== ''
  if (!isNamed && home === undefined) return undefined
  const path = isNamed ? named : `${home}/.netrc`
  try {
    return new Netrc(await readWhole(path, MAX_BYTES), path)
  } catch (cause) {
    if (cause instanceof NetError) throw cause
    if (!isNamed && errorCodeOf(cause) === 'ENOENT') return undefined
    throw new NetError('ERR_NETRC', `Cannot read ${JSON.stringify(path)}: ${messageOf(cause)}`, {
      cause,
      details: { path },
    })
  }
}

function parse(words: Words): readonly Machine[] {
  const machines: Machine[] = []
  for (let word = words.keyword(); word !== undefined; word = words.keyword()) {
    if (word === 'macdef') {
      words.value('a name behind macdef')
      words.skipMacro()
      continue
    }
    if (word !== 'machine' && word !== 'default')
      throw words.wrong('"machine", "default" or "macdef" is expected, or a password with space or "#" wants quotes')
    const host = word === 'default' ? undefined : words.value('a host behind machine').toLowerCase()
    machines.push({ host, entry: parseEntry(words) })
  }
  return machines
}

const FIELDS = ['login', 'password', 'account'] as const

function parseEntry(words: Words): NetrcEntry {
  const entry: { -readonly [K in keyof NetrcEntry]: NetrcEntry[K] } = {}
  for (;;) {
    const word = words.peekKeyword()
    const field = FIELDS.find((name) => name === word) ?? (word === 'user' ? 'login' : undefined)
    if (field === undefined) return entry
    words.keyword()
    entry[field] = words.value(`a value behind ${word}`)
  }
}

const WORD = /[^\s"]\S*/y
const QUOTED = /"((?:[^"\\\n]|\\[^\n])*)"(?=\s|$)/y
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** The words of a file, from left to right. */
class Words {
  readonly #text: string
  readonly #shown: string
  #at: number
  #wordAt = 0

  constructor(text: string, shown: string) {
    this.#text = text
    this.#shown = shown
    this.#at = text.startsWith('\ufeff') ? 1 : 0
  }

  /** The next word where a keyword may stand; `undefined` at the end. */
  keyword(): string | undefined {
    for (;;) {
      this.#skipSpace()
      if (this.#text[this.#at] !== '#') return this.#word()
      const end = this.#text.indexOf('\n', this.#at)
      this.#at = end === -1 ? this.#text.length : end
    }
  }

  peekKeyword(): string | undefined {
    const at = this.#at
    const word = this.keyword()
    this.#at = at
    return word
  }

  /** @throws NetError `ERR_NETRC` when nothing comes any more. */
  value(what: string): string {
    this.#skipSpace()
    const word = this.#word()
    if (word === undefined) throw this.wrong(`${what} is expected`)
    return word
  }

  /** Up to an empty line. */
  skipMacro(): void {
    const end = /\n[ \t\r]*(?=\n)/g
    end.lastIndex = this.#at
    this.#at = end.test(this.#text) ? end.lastIndex : this.#text.length
  }

  /** What is wrong with the word that was read last. */
  wrong(problem: string): NetError {
    const line = this.#text.slice(0, this.#wordAt).split('\n').length
    const message = `Cannot parse ${JSON.stringify(this.#shown)}: line ${line}: ${problem}`
    return new NetError('ERR_NETRC', message, { details: { path: this.#shown, line } })
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at += 1
    this.#wordAt = this.#at
  }

  #word(): string | undefined {
    if (this.#at >= this.#text.length) return undefined
    if (this.#text[this.#at] !== '"') return this.#take(WORD)?.[0]
    const quoted = this.#take(QUOTED)?.[1]
    if (quoted === undefined) throw this.wrong('quotes have no end in their line, or something stands behind it')
    return quoted.replace(/\\(.)/g, (_, character: string) => ESCAPED[character] ?? character)
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.#at = pattern.lastIndex
    return found
  }
}
