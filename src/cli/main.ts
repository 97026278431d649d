#!/usr/bin/env node
import { createRequire } from 'node:module'
import { errorCodeOf, MoorageError, nearestName, UsageError } from '../base/index.js'
import { EXIT } from './command.js'
import { COMMANDS, COMMON_OPTIONS } from './commands.js'
import { commandHelp, generalHelp } from './help.js'
import { parseLine } from './options.js'
import { Output } from './output.js'

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
  const command = await load()
  if (command.readsOwnWords === true) return command.run(rest, {}, { output, signal: interruption() })
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
  return command.run(positionals, options as never, { output, signal: interruption() })
}

function unknownCommand(name: string): UsageError {
  const nearest = nearestName(name, Object.keys(COMMANDS))
  const hint = nearest === undefined ? `there are ${Object.keys(COMMANDS).join(', ')}` : `did you mean "${nearest}"?`
  return new UsageError('ERR_ARGUMENT', `Cannot run "${name}": there is no such command; ${hint}`)
}

/** The first Ctrl-C asks to finish, the second ends. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  const heard = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted)
    controller.abort(new Error('interrupted'))
  }
  process.on('SIGINT', heard)
  process.on('SIGTERM', heard)
  return controller.signal
}

/** Where whoever typed a wrong line finds the right one. */
let helpLine = 'moorage --help'
let output = new Output({ json: process.argv.includes('--json'), quiet: false, verbose: false })

/** A reader of our stdout that has gone (`| head`) is no error of ours. */
process.stdout.on('error', (error) => {
  if (errorCodeOf(error) === 'EPIPE') process.exit(EXIT.ok)
  throw error
})

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    output.error(error)
    if (error instanceof UsageError && isCommandLine(error)) process.stderr.write(`moorage: try "${helpLine}"\n`)
    process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed
    if (!(error instanceof MoorageError)) output.detail(error instanceof Error ? (error.stack ?? '') : '')
    // What the failed command still has open (a listener, a worker) must not keep it.
    setTimeout(() => process.exit(), 1000).unref()
  },
)

const isCommandLine = ({ code }: UsageError): boolean => code.startsWith('ERR_OPTION') || code === 'ERR_ARGUMENT'
