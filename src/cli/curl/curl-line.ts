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

/** What is said of all that stands between one --next and the other. */
const SHARED: ReadonlySet<FlagName> = new Set<FlagName>([
  'fail-early',
  'help',
  'no-progress-meter',
  'progress-bar',
  'show-error',
  'silent',
  'stderr',
  'verbose',
])

interface Group {
  readonly given: GivenFlag[]
  readonly off: Set<string>
}

/**
 * Reads words as curl does: `-sSLo file`, `-XPOST`, `--flag value`, `--no-flag`, `--flag` by as many letters as no other begins
 * with; words without a flag are URLs, and so is all behind `--`. With --next there are several lines, of which all but the
 * last have a URL. `readConfig` gives the words of a file of --config.
 * @throws UsageError `ERR_OPTION_UNKNOWN`, with the nearest name; `ERR_OPTION_VALUE`.
 */
export function parseCurlLines(
  words: readonly string[],
  readConfig: (path: string) => readonly string[],
): readonly CurlLine[] {
  const shared: Group = { given: [], off: new Set() }
  let group: Group = { given: [], off: new Set() }
  const groups = [group]
  const groupOf = (name: FlagName): Group => (SHARED.has(name) ? shared : group)
  /** `within` are the files of --config that are being read: one that has itself is not read again. */
  const read = (list: readonly string[], within: readonly string[]): void => {
    const left = [...list]
    const add = (name: FlagName, value: string, isOff?: boolean): void => {
      const { given, off } = groupOf(name)
      if (isOff === true) {
        off.add(name)
        return
      }
      off.delete(name)
      if (name === 'config') {
        const path = resolve(value)
        if (!within.includes(path)) read(readConfig(value), [...within, path])
      } else if (name !== 'next') given.push({ name, value })
      else if (group.given.some((each) => each.name === 'url')) groups.push((group = { given: [], off: new Set() }))
    }
    let onlyUrls = false
    for (let word = left.shift(); word !== undefined; word = left.shift()) {
      if (onlyUrls || !word.startsWith('-') || word === '-') add('url', word)
      else if (word === '--') onlyUrls = true
      else if (word.startsWith('--')) readLong(word, left, add)
      else readShorts(word, left, add)
    }
  }
  read(words, [])
  return groups.map(({ given, off }) => new CurlLine([...shared.given, ...given], new Set([...shared.off, ...off])))
}

type Add = (name: FlagName, value: string, isOff?: boolean) => void

function readLong(word: string, left: string[], add: Add): void {
  const name = word.slice(2)
  const known = isFlagName(name) ? name : abbreviated(word, name)
  if (known !== undefined) {
    add(known, isFlag(known) ? '' : valueOf(word, left))
    return
  }
  const other = name.startsWith('no-') ? name.slice(3) : `no-${name}`
  if (!isFlagName(other) || !isFlag(other)) throw unknownFlag(word, name)
  add(other, '', true)
}

const NAMES: readonly string[] = [...Object.keys(CURL_FLAGS), ...Object.keys(UNSUPPORTED)]

/** The only flag that begins so. @throws UsageError `ERR_OPTION_UNKNOWN` where there are several. */
function abbreviated(word: string, name: string): FlagName | undefined {
  if (name in UNSUPPORTED || name.startsWith('no-') || isFlagName(`no-${name}`)) return undefined
  const [first, ...more] = NAMES.filter((each) => each.startsWith(name))
  if (first === undefined) return undefined
  if (more.length > 0) {
    const some = [first, ...more].slice(0, 5).map((each) => `--${each}`)
    throw new UsageError('ERR_OPTION_UNKNOWN', `Cannot use ${word}: it may be ${some.join(', ')}`)
  }
  if (isFlagName(first)) return first
  throw unknownFlag(word, first)
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
