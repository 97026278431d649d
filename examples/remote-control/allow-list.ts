/** What a configuration file says: nothing runs that is not in it. */
export interface RemoteControlConfig {
  /** 16 characters or more; a client that shows a certificate of the configured authority needs none. */
  readonly token?: string
  readonly commands: Readonly<Record<string, AllowedCommand>>
  /** Where each request is noted, a JSON object a line. */
  readonly auditLog: string
  readonly timeLimitMs?: number
  readonly outputLimitBytes?: number
}

export interface AllowedCommand {
  /** The program, with a full path, and the arguments that are always there. */
  readonly run: readonly string[]
  /** For each argument that a client may add, in order: a pattern that the whole of it must match. */
  readonly parameters?: readonly string[]
}

export interface Resolved {
  readonly program: string
  readonly args: readonly string[]
}

const MIN_TOKEN_LENGTH = 16

/** @throws TypeError naming what is wrong in a configuration: nothing is found out only when a client comes. */
export function toConfig(value: unknown): RemoteControlConfig {
  const problem = problemOf(value)
  if (problem === undefined && isConfig(value)) return value
  throw new TypeError(`Cannot use the configuration: ${problem ?? 'it is none'}; docs/examples.md shows one`)
}

function isConfig(value: unknown): value is RemoteControlConfig {
  return problemOf(value) === undefined
}

function problemOf(value: unknown): string | undefined {
  if (!isRecord(value)) return 'it is no object'
  const { token, commands, auditLog, timeLimitMs, outputLimitBytes } = value
  if (token !== undefined && (typeof token !== 'string' || token.length < MIN_TOKEN_LENGTH))
    return `"token" must have ${MIN_TOKEN_LENGTH} characters or more`
  if (typeof auditLog !== 'string' || auditLog === '') return '"auditLog" must be the path of a file'
  for (const [name, limit] of Object.entries({ timeLimitMs, outputLimitBytes })) {
    if (limit !== undefined && !(typeof limit === 'number' && limit >= 1)) return `"${name}" must be a number from 1 up`
  }
  if (!isRecord(commands) || Object.keys(commands).length === 0) return '"commands" must list at least one'
  for (const [name, command] of Object.entries(commands)) {
    const problem = commandProblem(command)
    if (problem !== undefined) return `the command ${JSON.stringify(name)} ${problem}`
  }
  return undefined
}

function commandProblem(command: unknown): string | undefined {
  if (!isRecord(command) || !isTexts(command['run'])) return 'needs "run", a list of strings'
  if (command['run'][0]?.startsWith('/') !== true) return 'needs the full path of its program'
  const { parameters = [] } = command
  if (!isTexts(parameters)) return 'has "parameters" that are no list of patterns'
  return parameters.every(isPattern) ? undefined : 'has a parameter that is no pattern'
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

function isPattern(text: string): boolean {
  try {
    return wholly(text) instanceof RegExp
  } catch {
    // What is no pattern is said by whoever asked.
    return false
  }
}

/** A pattern that only a whole argument matches. */
const wholly = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, 'u')

const MAX_ARGUMENTS = 32
const MAX_ARGUMENT_BYTES = 4096

/**
 * The program and its arguments, or why there are none. Arguments reach the program as they are: no shell stands
 * between, so nothing in them is quoted, expanded or executed.
 */
export function resolveCommand(config: RemoteControlConfig, name: string, given: readonly string[]): Resolved | string {
  const allowed = Object.hasOwn(config.commands, name) ? config.commands[name] : undefined
  if (allowed === undefined) return `the command ${JSON.stringify(name)} is not on the list`
  const [program, ...fixed] = allowed.run
  if (program === undefined || !program.startsWith('/'))
    return `the command ${JSON.stringify(name)} is configured without a full path`
  const patterns = allowed.parameters ?? []
  if (given.length > patterns.length || given.length > MAX_ARGUMENTS)
    return `at most ${patterns.length} arguments are allowed`
  for (const [i, argument] of given.entries()) {
    const isPlain = Buffer.byteLength(argument) <= MAX_ARGUMENT_BYTES && !argument.includes('\0')
    if (!isPlain || !wholly(patterns[i] ?? '').test(argument)) return `argument ${i + 1} is not of the allowed form`
  }
  return { program, args: [...fixed, ...given] }
}
