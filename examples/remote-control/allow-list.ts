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

/** @throws TypeError when a configuration has no list of commands or no audit log. */
export function toConfig(value: unknown): RemoteControlConfig {
  if (isConfig(value)) return value
  throw new TypeError(
    'Cannot use the configuration: it needs "commands" and "auditLog", as docs/examples.md shows them',
  )
}

function isConfig(value: unknown): value is RemoteControlConfig {
  if (typeof value !== 'object' || value === null || !('commands' in value) || !('auditLog' in value)) return false
  return typeof value.commands === 'object' && value.commands !== null && typeof value.auditLog === 'string'
}

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
    if (!isPlain || !new RegExp(`^(?:${patterns[i]})$`, 'u').test(argument))
      return `argument ${i + 1} is not of the allowed form`
  }
  return { program, args: [...fixed, ...given] }
}
