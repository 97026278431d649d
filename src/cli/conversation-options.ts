import type { Readable } from 'node:stream'
import { UsageError } from '../base/index.js'
import { parseEndpoint, type Endpoint } from '../transport/index.js'
import { HexDump } from './hex-dump.js'
import type { Taps } from './pipes.js'
import { TerminalLines } from './terminal-lines.js'

/** What `connect` and `listen` can do with a connection, each from its own end. */
export const CONVERSATION_OPTIONS = {
  idle: { type: 'seconds', value: '<time>', help: 'close a connection on which nothing moves for so long' },
  lines: {
    type: 'flag',
    short: 'l',
    help: 'line by line: each line of input is sent whole, over udp: and unixgram: as a datagram each; without it, what one read of the input gives is a datagram, at most 65,507 bytes',
  },
  crlf: { type: 'flag', short: 'C', help: 'line by line, with CR LF' },
  hex: { type: 'flag', short: 'x', help: 'show what passes in hexadecimal, on stderr' },
  exec: {
    type: 'text',
    short: 'e',
    value: '<command>',
    help: 'join the connection to a shell command of its own instead of the terminal',
  },
  relay: {
    type: 'text',
    value: '<endpoint>',
    help: 'join the connection to one that is made to this endpoint, each half-close passed on',
  },
} as const

export interface ConversationOptions {
  readonly idle: number | undefined
  readonly lines: boolean | undefined
  readonly crlf: boolean | undefined
  readonly hex: boolean | undefined
  readonly exec: string | undefined
  readonly relay: string | undefined
}

/** The ending of lines, when the input is sent line by line. */
export function lineEnding({ lines, crlf }: ConversationOptions): '\n' | '\r\n' | undefined {
  if (crlf === true) return '\r\n'
  return lines === true ? '\n' : undefined
}

/** The standard input as it is to be sent over a stream. */
export function inputFor(options: ConversationOptions): Readable {
  const ending = lineEnding(options)
  return ending === undefined ? process.stdin : process.stdin.pipe(new TerminalLines(ending))
}

/** Shows what is sent and what is received, when asked to. */
export function taps({ hex }: ConversationOptions): Taps {
  if (hex !== true) return {}
  const write = (text: string): void => void process.stderr.write(text)
  return { tapOut: new HexDump('>', write).dump, tapIn: new HexDump('<', write).dump }
}

/**
 * Where `--relay` leads: it is looked at before anything is opened.
 * @throws UsageError `ERR_ENDPOINT`; `ERR_OPTION_VALUE` when one of the two carries datagrams and the other a stream.
 */
export function relayTarget({ relay, exec }: ConversationOptions, from: Endpoint): Endpoint | undefined {
  if (relay === undefined) return undefined
  if (exec !== undefined)
    throw new UsageError('ERR_OPTION_VALUE', 'Cannot use --relay with --exec: a connection has one other end')
  const target = parseEndpoint(relay)
  if (target.scheme === 'fd' || carriesDatagrams(target) !== carriesDatagrams(from)) {
    const wanted = carriesDatagrams(from) ? 'udp: or unixgram:, as the other end is' : 'tcp:, tls: or unix:'
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use --relay ${relay}: expected ${wanted}`)
  }
  return target
}

export const carriesDatagrams = ({ scheme }: Endpoint): boolean => scheme === 'udp' || scheme === 'unixgram'
