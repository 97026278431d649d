import { UsageError } from '../../base/index.js'
import {
  connect as connectStream,
  connectDatagram,
  parseEndpoint,
  type Connection,
  type ConnectOptions,
  type Endpoint,
} from '../../transport/index.js'
import { defineCommand, EXIT, type Command, type CommandContext } from '../command.js'
import { carriesDatagrams, CONVERSATION_OPTIONS, inputFor, lineEnding, taps } from '../conversation-options.js'
import { receiveTo, sendFrom } from '../datagram-pipes.js'
import { execFor } from '../exec.js'
import type { ParsedOptions } from '../options.js'
import { converse, relayTo } from '../pipes.js'
import { clientTls, TLS_CLIENT_OPTIONS } from '../tls-files.js'

const OPTIONS = {
  check: {
    type: 'flag',
    short: 'z',
    help: 'only see whether the endpoint can be connected to; several are tried in turn',
  },
  timeout: { type: 'seconds', value: '<time>', default: '10', help: 'how long connecting may take' },
  wait: {
    type: 'seconds',
    value: '<time>',
    default: '1',
    help: 'datagrams: how long to wait for answers after the input has ended',
  },
  ...CONVERSATION_OPTIONS,
  'local-address': { type: 'text', value: '<address>', help: 'the address to connect from' },
  'local-port': { type: 'number', value: '<port>', help: 'the port to connect from' },
  ...TLS_CLIENT_OPTIONS,
} as const

type Options = ParsedOptions<typeof OPTIONS>

export const connect: Command = defineCommand({
  name: 'connect',
  parameters: '<endpoint>',
  summary:
    'Connects, sends standard input and prints what comes: netcat for every kind of socket. The end of the input is sent as a half-close.',
  options: OPTIONS,
  examples: [
    ['moorage connect tcp://127.0.0.1:9000', 'type lines, see answers'],
    ['printf "GET / HTTP/1.0\\r\\n\\r\\n" | moorage connect tls://example.org:443', 'TLS, verified'],
    ['moorage connect -z tcp://127.0.0.1:5432', 'is anyone there? exit code 0 or 1'],
    ['echo hello | moorage connect udp://127.0.0.1:9999', 'one datagram, and its answer'],
    ['moorage connect -l udp://127.0.0.1:9999 < names.txt', 'a datagram for each line'],
  ],
  async run(endpoints, options, context) {
    const [first] = endpoints
    if (first === undefined)
      throw new UsageError(
        'ERR_ARGUMENT',
        'Cannot connect: give an endpoint, as in moorage connect tcp://127.0.0.1:9000',
      )
    if (options.check === true) return check(endpoints, options, context)
    if (endpoints.length > 1)
      throw new UsageError(
        'ERR_ARGUMENT',
        'Cannot connect to several endpoints at once: give one, or use -z to check them',
      )
    const endpoint = parseEndpoint(first)
    if (carriesDatagrams(endpoint)) return exchangeDatagrams(endpoint, options, context)
    const connection = await connectStream(endpoint, connectOptions(options, context))
    const stop = (): void => connection.destroy(context.signal.reason)
    context.signal.addEventListener('abort', stop, { once: true })
    try {
      return await attend(connection, options, context)
    } finally {
      context.signal.removeEventListener('abort', stop)
      await connection.close()
    }
  },
})

function connectOptions(
  options: Options,
  { signal }: CommandContext,
): ConnectOptions & { readonly idleTimeoutMs?: number } {
  const { timeout, idle, 'local-address': localAddress, 'local-port': localPort } = options
  const tls = clientTls(options)
  return {
    signal,
    ...(timeout === undefined ? {} : { connectTimeoutMs: timeout }),
    ...(idle === undefined ? {} : { idleTimeoutMs: idle }),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
    ...(tls === undefined ? {} : { tls }),
  }
}

async function attend(connection: Connection, options: Options, context: CommandContext): Promise<number> {
  if (options.exec !== undefined) return execFor(connection, options.exec, taps(options))
  if (options.relay !== undefined) {
    await relayTo(connection, options.relay, context.signal, taps(options))
    return EXIT.ok
  }
  await converse(connection, inputFor(options), process.stdout, taps(options))
  process.stdin.destroy()
  return EXIT.ok
}

async function check(endpoints: readonly string[], options: Options, context: CommandContext): Promise<number> {
  let missing = 0
  for (const text of endpoints) {
    const endpoint = parseEndpoint(text)
    try {
      const connection = await connectStream(endpoint, connectOptions(options, context))
      connection.destroy()
      context.output.say(`${text} is open`, { endpoint: text, open: true })
    } catch (error) {
      if (error instanceof UsageError) throw error
      missing += 1
      context.output.error(error)
    }
  }
  return missing === 0 ? EXIT.ok : EXIT.failed
}

async function exchangeDatagrams(endpoint: Endpoint, options: Options, { signal }: CommandContext): Promise<number> {
  const socket = await connectDatagram(endpoint)
  const pipe = { ...taps(options), lineEnding: lineEnding(options) }
  const lingerMs = options.wait ?? 1000
  let lastAt = performance.now()
  const receiving = receiveTo(process.stdout, socket, pipe, () => {
    lastAt = performance.now()
  })
  const stop = (): void => socket.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([sendFrom(process.stdin, socket, () => undefined, pipe), receiving])
    lastAt = performance.now()
    while (!signal.aborted && performance.now() - lastAt < lingerMs) await pause(Math.min(50, lingerMs))
  } finally {
    signal.removeEventListener('abort', stop)
    // An input that is still open would keep the process.
    process.stdin.destroy()
    await socket.close()
  }
  await receiving
  return EXIT.ok
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
