import type { OptionTable, ParsedOptions } from './options.js'
import type { Output } from './output.js'

/** What a command exits with; docs/COMMANDS.md has the table. */
export const EXIT = {
  ok: 0,
  /** The work failed: the peer, the network, the disk, stdout. */
  failed: 1,
  /** The command line is wrong: nothing was done. */
  usage: 2,
  /** Ended by a second Ctrl-C, before its work was done. */
  interrupted: 130,
} as const

export interface CommandContext {
  readonly output: Output
  /**
   * Aborts at the first SIGINT or SIGTERM, and when stdout takes no more: finish in order, keep what is to be kept, then
   * return. At the second SIGINT or SIGTERM the process exits with 130.
   */
  readonly signal: AbortSignal
}

/** One verb of `moorage`. Errors it throws are shown in one line, without a stack, and exit with 1 (usage ones with 2). */
export interface TypedCommand<T extends OptionTable> {
  readonly name: string
  /** `<module> <endpoint…>` */
  readonly parameters: string
  readonly summary: string
  readonly options: T
  /** Its words are not read by the table, which is for its help alone: it is run with all of them. */
  readonly readsOwnWords?: true
  /**
   * What it exits with when stdout takes no more. It hears of that by what it writes and finishes by itself, and its signal
   * is not aborted. Default: 0 where the reader has gone, else 1.
   */
  readonly stdoutExit?: number
  /** Whole command lines with what they do, for the help. */
  readonly examples: readonly (readonly [line: string, what: string])[]
  /** Returns the exit code. */
  run(positionals: readonly string[], options: ParsedOptions<T>, context: CommandContext): Promise<number>
}

/** A command whose options are checked by its own table when it runs. */
export type Command = TypedCommand<OptionTable>

/** Types `run` by the option table. What is returned is only ever run with options that were parsed by that table. */
export function defineCommand<const T extends OptionTable>(command: TypedCommand<T>): Command {
  return command
}
