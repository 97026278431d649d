import { parseArgs } from 'node:util'
import { UsageError } from '../base/index.js'
import { nearestName } from '../base/index.js'

/** One option of a command, as its help shows it. */
export interface CommandOption {
  /** `flag` has no value; `number` is a number from 0 up; `size` takes 64k, 10m, 1g; `seconds` takes 5, 0.5, 200ms, 2m. */
  readonly type: 'flag' | 'text' | 'number' | 'size' | 'seconds'
  readonly short?: string
  /** The name of the value in the help. */
  readonly value?: string
  readonly help: string
  readonly default?: string
  readonly multiple?: boolean
}

export type OptionTable = Readonly<Record<string, CommandOption>>

type ValueOf<O extends CommandOption> = O['type'] extends 'flag' ? boolean : O['type'] extends 'text' ? string : number

/** What an option table parses to: numbers as numbers, sizes in bytes, seconds in milliseconds. */
export type ParsedOptions<T extends OptionTable> = {
  readonly [K in keyof T]: T[K]['multiple'] extends true ? readonly ValueOf<T[K]>[] : ValueOf<T[K]> | undefined
}

export interface ParsedLine {
  readonly options: Readonly<Record<string, unknown>>
  readonly positionals: readonly string[]
}

/**
 * Reads the arguments of one command. `--no-x` is false for a flag `x`; after `--` all are positionals.
 * @throws UsageError `ERR_OPTION_UNKNOWN`, with the nearest name; `ERR_OPTION_VALUE`.
 */
export function parseLine(args: readonly string[], table: OptionTable): ParsedLine {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(table).map(([name, { type, short }]) => [
        name,
        {
          type: type === 'flag' ? ('boolean' as const) : ('string' as const),
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
    strict: false,
    tokens: true,
    allowPositionals: true,
  })
  const options: Record<string, unknown> = {}
  for (const [name, { multiple }] of Object.entries(table)) if (multiple === true) options[name] = []
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    else if (token.kind === 'option') setOption(options, table, token.name, token.value, token.rawName)
  }
  for (const [name, option] of Object.entries(table)) {
    if (option.default !== undefined && options[name] === undefined)
      options[name] = readValue(name, option, option.default)
  }
  return { options, positionals }
}

function setOption(
  options: Record<string, unknown>,
  table: OptionTable,
  name: string,
  text: string | undefined,
  rawName: string,
): void {
  const negated = name.startsWith('no-') && table[name] === undefined && table[name.slice(3)]?.type === 'flag'
  const known = negated ? name.slice(3) : name
  const option = table[known]
  if (option === undefined) throw unknownOption(rawName, table)
  if (option.type === 'flag') {
    if (text !== undefined)
      throw new UsageError('ERR_OPTION_VALUE', `Cannot use ${rawName}=${text}: ${rawName} takes no value`)
    options[known] = !negated
    return
  }
  if (text === undefined) {
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot use ${rawName} without a value: write ${rawName} ${option.value ?? '<value>'}`,
    )
  }
  const value = readValue(known, option, text)
  const list = options[known]
  if (Array.isArray(list)) list.push(value)
  else options[known] = value
}

function unknownOption(rawName: string, table: OptionTable): UsageError {
  const names = Object.keys(table)
  const nearest = rawName.startsWith('--') ? nearestName(rawName.slice(2), names) : undefined
  const hint = nearest === undefined ? 'see --help for those there are' : `did you mean --${nearest}?`
  return new UsageError('ERR_OPTION_UNKNOWN', `Cannot use ${rawName}: there is no such option; ${hint}`)
}

function readValue(name: string, option: CommandOption, text: string): string | number {
  switch (option.type) {
    case 'number': {
      if (!/^\d+$/.test(text)) throw wrongValue(name, text, 'a whole number from 0 up')
      return Number(text)
    }
    case 'size':
      return readSize(name, text)
    case 'seconds':
      return readSeconds(name, text)
    default:
      return text
  }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

function readSize(name: string, text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([kmgt]?)i?b?$/i.exec(text) ?? []
  const factor = UNITS[unit.toLowerCase()]
  if (digits === undefined || factor === undefined) throw wrongValue(name, text, 'a size such as 65536, 64k, 10m or 1g')
  return Math.round(Number(digits) * factor)
}

function readSeconds(name: string, text: string): number {
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/i.exec(text) ?? []
  const factor: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  if (digits === undefined) throw wrongValue(name, text, 'a time such as 5, 0.5, 200ms or 2m')
  return Number(digits) * (factor[unit.toLowerCase()] ?? 1000)
}

function wrongValue(name: string, text: string, expected: string): UsageError {
  return new UsageError('ERR_OPTION_VALUE', `Cannot use --${name} ${JSON.stringify(text)}: expected ${expected}`)
}

/**
 * Options that mean nothing for what is done are refused, not passed over.
 * @throws UsageError `ERR_OPTION_VALUE`.
 */
export function refuseOptions(options: Readonly<Record<string, unknown>>, names: readonly string[], why: string): void {
  const given = names.find((name) => options[name] !== undefined && options[name] !== false)
  if (given !== undefined) throw new UsageError('ERR_OPTION_VALUE', `Cannot use --${given} ${why}`)
}
