#!/usr/bin/env node
import { createRequire } from 'node:module'
import { MoorageError, nearestName, UsageError } from '../base/index.js'
import { EXIT, type Command } from './command.js'
import { COMMANDS, COMMON_OPTIONS } from './commands.js'
import { commandHelp, generalHelp } from './help.js'
import { parseLine } from './options.js'
import { Output } from './output.js'
import { StdoutEnd } from './stdout-end.js'

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === 'help' && rest[0] !== undefined) return main([rest[0], '--help'])
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(await generalHelp(COMMANDS))
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  if (name === '--version' || name === '-V') {
    const { version }: { readonly version: string } = createRequire(import.meta.url)('../../package.json')
    process.stdout.write(`moorage ${version} (Node.js ${process.versions.node})\n`)
    return EXIT.ok
  }
  const load = COMMANDS[name]
  if (load === undefined) throw unknownCommand(name)
  helpLine = `moorage ${name} --help`
  command = await load()
  if (command.readsOwnWords === true) return command.run(rest, {}, { output, signal: interrupted() })
  const { options, positionals } = parseLine(rest, { ...command.options, ...COMMON_OPTIONS })
  if (options['help'] === true) {
    process.stdout.write(commandHelp(command, COMMON_OPTIONS))
    return EXIT.ok
  }
  output = new Output({
    json: options['json'] === true,
    quiet: options['quiet'] === true,
    verbose: options['verbose'] === true,
  })
  return command.run(positionals, options as never, { output, signal: interrupted() })
}

function unknownCommand(name: string): UsageError {
  const nearest = nearestName(name, Object.keys(COMMANDS))
  const hint = nearest === undefined ? `there are ${Object.keys(COMMANDS).join(', ')}` : `did you mean "${nearest}"?`
  return new UsageError('ERR_ARGUMENT', `Cannot run "${name}": there is no such command; ${hint}`)
}

/** The first Ctrl-C asks to finish, the second ends. */
function interrupted(): AbortSignal {
  const heard = (): void => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted)
    interruption.abort(new Error('interrupted'))
  }
  process.on('SIGINT', heard)
  process.on('SIGTERM', heard)
  return interruption.signal
}

const interruption = new AbortController()
/** What runs, once it is loaded. */
let command: Command | undefined
/** Where whoever typed a wrong line finds the right one. */
let helpLine = 'moorage --help'
let output = new Output({ json: process.argv.includes('--json'), quiet: false, verbose: false })
let stdoutEnd: StdoutEnd | undefined
/** `undefined` while the command runs. */
let ended: number | undefined

/** A command finishes so long behind an end of stdout; one that then still waits, for its stdin perhaps, is ended. */
const FINISH_MS = 5000

/** Whoever reads has gone (`| head`), or the disk behind is full: nothing more can be said there. */
process.stdout.on('error', (error) => {
  if (stdoutEnd !== undefined) return
  stdoutEnd = new StdoutEnd(error)
  if (ended !== undefined) return end(ended)
  // What goes into files goes on.
  if (command?.stdoutExit !== undefined) return
  interruption.abort(stdoutEnd)
  setTimeout(() => {
    end(EXIT.ok)
    process.exit()
  }, FINISH_MS).unref()
})
/** There is nowhere to say it. */
process.stderr.on('error', () => undefined)

function end(code: number): void {
  ended = code
  process.exitCode = stdoutEnd === undefined ? code : stdoutEnd.exitFor(code, command?.stdoutExit)
  // Behind another failure there has been a line.
  if (stdoutEnd !== undefined && !stdoutEnd.isReaderGone && code === EXIT.ok) output.error(stdoutEnd)
}

main(process.argv.slice(2)).then(end, (error: unknown) => {
  if (stdoutEnd !== undefined) end(EXIT.ok)
  else {
    output.error(error)
    if (error instanceof UsageError && isCommandLine(error)) process.stderr.write(`moorage: try "${helpLine}"\n`)
    end(error instanceof UsageError ? EXIT.usage : EXIT.failed)
    if (!(error instanceof MoorageError)) output.detail(error instanceof Error ? (error.stack ?? '') : '')
  }
  // What the failed command still has open (a listener, a worker) must not keep it.
  setTimeout(() => process.exit(), 1000).unref()
})

const isCommandLine = ({ code }: UsageError): boolean => code.startsWith('ERR_OPTION') || code === 'ERR_ARGUMENT'
