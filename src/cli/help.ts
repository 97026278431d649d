import type { Command } from './command.js'
import type { CommandOption, OptionTable } from './options.js'

const WIDTH = 100

/** The help of `moorage` itself. */
export async function generalHelp(commands: Readonly<Record<string, () => Promise<Command>>>): Promise<string> {
  const lines = [
    'moorage: servers, clients and tools for TCP, TLS, UDP and Unix sockets',
    '',
    'usage: moorage <command> [options]',
    '',
  ]
  const loaded = await Promise.all(Object.values(commands).map((load) => load()))
  for (const { name, parameters, summary } of loaded) lines.push(...columns(`  ${name} ${parameters}`, summary, 40))
  lines.push('', 'moorage <command> --help tells more; moorage --version tells the version.', '')
  return lines.join('\n')
}

export function commandHelp(command: Command, common: OptionTable): string {
  const { name, parameters, summary, options, examples, readsOwnWords } = command
  const lines = [`usage: moorage ${name} [options] ${parameters}`, '', summary, '', 'options:']
  for (const [option, spec] of Object.entries(readsOwnWords === true ? options : { ...options, ...common }))
    lines.push(...columns(`  ${left(option, spec)}`, right(spec), 32))
  if (examples.length > 0) lines.push('', 'examples:')
  for (const [line, what] of examples) lines.push(`  ${line}`, `      ${what}`)
  lines.push('')
  return lines.join('\n')
}

function left(name: string, { short, type, value = `<${type}>` }: CommandOption): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${type === 'flag' ? '' : ` ${value}`}`
}

function right({ help, default: fallback, multiple }: CommandOption): string {
  return `${help}${fallback === undefined ? '' : ` (default: ${fallback})`}${multiple === true ? ' (can be given several times)' : ''}`
}

/** Two columns; the second is wrapped, and begins on its own line when the first is too long. */
function columns(first: string, second: string, width: number): string[] {
  const lines: string[] = []
  let line = first.length < width ? first.padEnd(width) : ''
  if (line === '') {
    lines.push(first)
    line = ' '.repeat(width)
  }
  for (const word of second.split(' ')) {
    if (line.length + word.length > WIDTH && line.trim() !== '') {
      lines.push(line.trimEnd())
      line = ' '.repeat(width)
    }
    line += `${word} `
  }
  lines.push(line.trimEnd())
  return lines
}
