import { resolve } from 'node:path'
import { nearestName, UsageError } from '../../base/index.js'
import { CURL_FLAGS, isFlagName, isTextName, type FlagName, type TextName } from './flags.js'
import { UNSUPPORTED } from './unsupported.js'

/** One flag as it was given. */
export interface GivenFlag {
  readonly name: FlagName
  /** '' for one without a value. */
  readonly value: string
}

/** The words of one command line of curl. Flags keep their order: bodies and URLs are put together by it. */
export class CurlLine {
  readonly #given: readonly GivenFlag[]
  readonly #off: ReadonlySet<string>

  constructor(given: readonly GivenFlag[], off: ReadonlySet<string>) {
    this.#given = given
    this.#off = off
  }

  has(name: FlagName): boolean {
    return !this.#off.has(name) && this.#given.some((each) => each.name === name)
  }

  /** Whether it was taken back by `--no-`, or by `--clobber` and its kin. */
  isTakenBack(name: FlagName): boolean {
    return this.#off.has(name)
  }

  /** The last that was given. */
  text(name: TextName): string | undefined {
    return this.#given.findLast((each) => each.name === name)?.value
  }

  texts(name: TextName): readonly string[] {
    return this.#given.filter((each) => each.name === name).map(({ value }) => value)
  }

  /** Those of these names, in the order in which they were given. */
  ordered(...names: readonly FlagName[]): readonly GivenFlag[] {
    return this.#given.filter(({ name }) => names.includes(name))
  }

  /** @throws UsageError `ERR_OPTION_VALUE`. */
  number(name: TextName): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (!/^-?\d+$/.test(value)) throw wrongValue(name, value, 'a whole number')
    return Number(value)
  }

  /** In milliseconds. @throws UsageError `ERR_OPTION_VALUE`. */
  seconds(name: TextName): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (!/^\d*\.?\d+$/.test(value)) throw wrongValue(name, value, 'seconds, as in 2.5')
    return Number(value) * 1000
  }
}

export const wrongValue = (name: string, value: string, expected: string): UsageError =>
  new UsageError('ERR_OPTION_VALUE', `Cannot use --${name} ${JSON.stringify(value.slice(0, 64))}: expected ${expected}`)

const SHORTS: ReadonlyMap<string, FlagName> = new Map(
  Object.entries(CURL_FLAGS).flatMap(([name, { short }]) =>
    short !== undefined && isFlagName(name) ? [[short, name] as const] : [],
  ),
)
const UNSUPPORTED_SHORTS: ReadonlyMap<string, string> = new Map(
  Object.entries(UNSUPPORTED).flatMap(([name, { short }]) => (short === undefined ? [] : [[short, name] as const])),
)

/**
 * Reads words as curl does: `-sSLo file`, `-XPOST`, `--flag value`, `--no-flag`; words without a flag are URLs, and so is all
 * behind `--`. `readConfig` gives the words of a file of --config.
 * @throws UsageError `ERR_OPTION_UNKNOWN`, with the nearest name; `ERR_OPTION_VALUE`.
 */
export function parseCurlLine(words: readonly string[], readConfig: (path: string) => readonly string[]): CurlLine {
  const given: GivenFlag[] = []
  const off = new Set<string>()
  /** `within` are the files of --config that are being read: one that has itself is not read again. */
  const read = (list: readonly string[], within: readonly string[]): void => {
    const left = [...list]
    const add = (name: FlagName, value: string): void => {
      off.delete(name)
      if (name !== 'config') given.push({ name, value })
      else if (!within.includes(resolve(value))) read(readConfig(value), [...within, resolve(value)])
    }
    let onlyUrls = false
    for (let word = left.shift(); word !== undefined; word = left.shift()) {
      if (onlyUrls || !word.startsWith('-') || word === '-') add('url', word)
      else if (word === '--') onlyUrls = true
      else if (word.startsWith('--')) readLong(word, left, add, off)
      else readShorts(word, left, add)
    }
  }
  read(words, [])
  return new CurlLine(given, off)
}

type Add = (name: FlagName, value: string) => void

function readLong(word: string, left: string[], add: Add, off: Set<string>): void {
  const name = word.slice(2)
  if (isFlagName(name)) {
    add(name, isFlag(name) ? '' : valueOf(word, left))
    return
  }
  const other = name.startsWith('no-') ? name.slice(3) : `no-${name}`
  if (!isFlagName(other) || !isFlag(other)) throw unknownFlag(word, name)
  off.add(other)
}

function readShorts(word: string, left: string[], add: Add): void {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word[at] ?? ''
    const name = SHORTS.get(letter)
    if (name === undefined) throw unknownFlag(`-${letter}`, UNSUPPORTED_SHORTS.get(letter))
    if (isFlag(name)) {
      add(name, '')
      continue
    }
    const rest = word.slice(at + 1)
    add(name, rest === '' ? valueOf(`-${letter}`, left) : rest)
    return
  }
}

const isFlag = (name: FlagName): boolean => !isTextName(name)

function valueOf(word: string, left: string[]): string {
  const value = left.shift()
  if (value === undefined) throw new UsageError('ERR_OPTION_VALUE', `Cannot use ${word} without a value`)
  return value
}

function unknownFlag(word: string, name: string | undefined): UsageError {
  const known = name === undefined ? undefined : UNSUPPORTED[name]
  if (known !== undefined) return new UsageError('ERR_OPTION_VALUE', `Cannot use ${word}: ${known.why}`)
  const nearest = name === undefined ? undefined : nearestName(name.replace(/=.*$/s, ''), Object.keys(CURL_FLAGS))
  const hint =
    nearest === undefined
      ? 'see moorage curl --help for those there are'
      : name?.startsWith(`${nearest}=`) === true
        ? `write the value behind a space, as in --${nearest} value`
        : `did you mean --${nearest}?`
  return new UsageError(
    'ERR_OPTION_UNKNOWN',
    `Cannot use ${word.replace(/=.*$/s, '=')}: there is no such flag; ${hint}`,
  )
}
