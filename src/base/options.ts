import { UsageError } from './errors.js'

/** One option: what it is checked for, what it is when absent, and what the documentation says of it. */
export interface OptionSpec<T> {
  /** Returns the value to use. @throws a string saying what a right value is. */
  readonly read: (value: unknown) => T
  readonly fallback: T
  /** The default as documentation shows it. */
  readonly shown: string
  /** What it does, its unit, and why the default is what it is. */
  readonly doc: string
  /** The kind of value, for documentation and messages. */
  readonly kind: string
  /** No message shows what was given. */
  readonly isSecret?: boolean
}

export type OptionSpecs<S> = { readonly [K in keyof S]-?: OptionSpec<S[K]> }

/** Where a number may lie. */
export interface Range {
  readonly min?: number
  readonly max?: number
}

class WrongValue {
  readonly expected: string
  constructor(expected: string) {
    this.expected = expected
  }
}

/**
 * Checks the given options against their specs, once, and freezes the result: settings are passed inwards as they are.
 * @throws UsageError `ERR_OPTION_UNKNOWN` (with the nearest name), `ERR_OPTION_VALUE`.
 */
export function readOptions<S extends object>(
  where: string,
  specs: OptionSpecs<S>,
  given: object | undefined,
): Readonly<S> {
  const settings: Partial<S> = {}
  const names = Object.keys(specs)
  const values = new Map<string, unknown>(given === undefined ? [] : Object.entries(given))
  for (const name of values.keys()) if (!names.includes(name)) throw unknownOption(where, name, names)
  for (const name in specs) {
    const spec = specs[name]
    const value = values.get(name)
    try {
      settings[name] = value === undefined ? spec.fallback : spec.read(value)
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error
      throw new UsageError(
        'ERR_OPTION_VALUE',
        `Cannot use option "${name}" of ${where}: expected ${error.expected}, got ${spec.isSecret === true ? 'something else' : show(value)}`,
        {
          details: { option: name },
        },
      )
    }
  }
  return Object.freeze(settings) as Readonly<S>
}

function unknownOption(where: string, name: string, names: readonly string[]): UsageError {
  const nearest = nearestName(name, names)
  const hint = nearest === undefined ? `known are ${names.join(', ')}` : `did you mean "${nearest}"?`
  return new UsageError(
    'ERR_OPTION_UNKNOWN',
    `Cannot use option "${name}" of ${where}: there is no such option; ${hint}`,
    {
      details: { option: name, ...(nearest === undefined ? {} : { nearest }) },
    },
  )
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}

function spec<T>(kind: string, fallback: T, shown: string, doc: string, read: (value: unknown) => T): OptionSpec<T> {
  return { kind, fallback, shown, doc, read }
}

function number(
  kind: string,
  fallback: number,
  doc: string,
  min: number,
  max: number,
  whole: boolean,
): OptionSpec<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} up, or Infinity` : `from ${min} to ${max}`
  return spec(kind, fallback, String(fallback), doc, (value) => {
    const fits =
      typeof value === 'number' &&
      value >= min &&
      (value <= max || (max === Number.MAX_SAFE_INTEGER && value === Infinity))
    if (!fits || (whole && value !== Infinity && !Number.isInteger(value))) throw new WrongValue(`${kind} ${range}`)
    return value
  })
}

export function count(
  fallback: number,
  doc: string,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: Range = {},
): OptionSpec<number> {
  return number('a whole number', fallback, doc, min, max, true)
}

/** So many of something in a second; a fraction is fine. `Infinity` is no limit. */
export function rate(fallback: number, doc: string): OptionSpec<number> {
  return number('a number a second', fallback, doc, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, false)
}

export function byteCount(
  fallback: number,
  doc: string,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: Range = {},
): OptionSpec<number> {
  return number('a number of bytes', fallback, doc, min, max, true)
}

/** `Infinity` switches a time limit off; 0 never means "off". */
export function milliseconds(
  fallback: number,
  doc: string,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: Range = {},
): OptionSpec<number> {
  return number('milliseconds', fallback, doc, min, max, false)
}

export function flag(fallback: boolean, doc: string): OptionSpec<boolean> {
  return spec('true or false', fallback, String(fallback), doc, (value) => {
    if (typeof value !== 'boolean') throw new WrongValue('true or false')
    return value
  })
}

export function oneOf<const T extends string>(choices: readonly T[], fallback: T, doc: string): OptionSpec<T> {
  const kind = choices.map((choice) => `'${choice}'`).join(' | ')
  return spec(kind, fallback, `'${fallback}'`, doc, (value) => {
    const found = choices.find((choice) => choice === value)
    if (found === undefined) throw new WrongValue(kind)
    return found
  })
}

export function text(fallback: string | undefined, doc: string): OptionSpec<string | undefined> {
  return spec('a string', fallback, fallback === undefined ? 'none' : `'${fallback}'`, doc, (value) => {
    if (typeof value !== 'string') throw new WrongValue('a string')
    return value
  })
}

/** A value that `accepts` recognises; for functions, signals, objects. */
export function value<T>(
  kind: string,
  fallback: T,
  shown: string,
  doc: string,
  accepts: (given: unknown) => given is T,
): OptionSpec<T> {
  return spec(kind, fallback, shown, doc, (given) => {
    if (!accepts(given)) throw new WrongValue(kind)
    return given
  })
}

/** An object with options of its own, checked by their specs and passed on as it was given. */
export function group<T extends object>(
  where: string,
  specs: OptionSpecs<Record<keyof T, unknown>>,
  shown: string,
  doc: string,
): OptionSpec<T | undefined> {
  const kind = `an object with ${where} options`
  return spec<T | undefined>(kind, undefined, shown, doc, (given) => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new WrongValue(kind)
    readOptions(where, specs, given)
    return given as T
  })
}

/** The known name nearest to a mistyped one, when it is near enough to be meant (a third of its letters, at least 2). */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  let nearest: string | undefined
  let best = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance < best) {
      best = distance
      nearest = candidate
    }
  }
  return nearest
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, i) => i)
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[right.length] ?? 0
}
