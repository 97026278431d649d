import { UsageError } from '../../base/index.js'
import {
  connect as connectStream,
  connectDatagram,
  formatAddress,
  parseEndpoint,
  type ConnectOptions,
  type DatagramSocket,
  type Endpoint,
} from '../../transport/index.js'
import { defineCommand, EXIT, type Command, type CommandContext } from '../command.js'
import {
  carriesDatagrams,
  CONVERSATION_OPTIONS,
  inputFor,
  lineEnding,
  relayTarget,
  taps,
} from '../conversation-options.js'
import { receiveTo, relayDatagrams, sendFrom } from '../datagram-pipes.js'
import { execFor } from '../exec.js'
import { refuseOptions, type ParsedOptions } from '../options.js'
import type { WebSocketClientOptions } from '../../websocket/index.js'
import {
  checkWebSocket,
  connectToWebSocket,
  HEADER_OPTION,
  isWebSocket,
  refuseWebSocketOptions,
  WEBSOCKET_OPTIONS,
} from '../websocket-commands.js'
import { converse, relayTo } from '../pipes.js'
import { clientTls, refuseTlsOptions, TLS_CLIENT_OPTIONS } from '../tls-files.js'

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
  ...WEBSOCKET_OPTIONS,
  ...HEADER_OPTION,
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
    ['moorage connect ws://127.0.0.1:8000/chat', 'a WebSocket: type messages, see those that come'],
    ['moorage connect -l udp://127.0.0.1:9999 < names.txt', 'a datagram for each line'],
  ],
  async run(endpoints, options, context) {
    const [first] = endpoints
    if (first === undefined)
      throw new UsageError(
        'ERR_ARGUMENT',
        'Cannot connect: give an endpoint, as in moorage connect tcp://127.0.0.1:9000',
      )
    if (!endpoints.some(isWebSocket)) refuseWebSocketOptions(options)
    if (options.check === true) return check(endpoints, options, context)
    if (endpoints.length > 1)
      throw new UsageError(
        'ERR_ARGUMENT',
        'Cannot connect to several endpoints at once: give one, or use -z to check them',
      )
    if (isWebSocket(first)) return connectToWebSocket(first, options, webSocketOptions(options, context), context)
    const endpoint = parseEndpoint(first)
    const target = relayTarget(options, endpoint)
    if (carriesDatagrams(endpoint)) return connectDatagrams(endpoint, target, options, context)
    // With a relay the options of TLS are for the end that is tls:.
    const isForTarget = target?.scheme === 'tls' && endpoint.scheme !== 'tls' && options.tls !== true
    const settings = connectOptions(options, context)
    const { tls, ...plain } = settings
    const connection = await connectStream(endpoint, isForTarget ? plain : settings)
    const remote = formatAddress(connection.remote)
    context.output.detail(`connected: ${remote}`, { event: 'connected', remote })
    const stop = (): void => connection.destroy(context.signal.reason)
    context.signal.addEventListener('abort', stop, { once: true })
    try {
      if (options.exec !== undefined) return await execFor(connection, options.exec, taps(options))
      if (target === undefined) {
        await converse(connection, inputFor(options), process.stdout, taps(options))
        process.stdin.destroy()
      } else {
        const { connectTimeoutMs } = settings
        const { signal } = context
        const rules = tls !== undefined && target.scheme === 'tls' ? { tls } : {}
        await relayTo(connection, target, { signal, connectTimeoutMs, ...rules }, taps(options))
      }
      return EXIT.ok
    } finally {
      context.signal.removeEventListener('abort', stop)
      await connection.close()
    }
  },
})

function connectOptions(
  options: Options,
  { signal }: CommandContext,
): ConnectOptions & { readonly idleTimeoutMs?: number; readonly connectTimeoutMs: number } {
  const { timeout = 10_000, idle, proxy, 'local-address': localAddress, 'local-port': localPort } = options
  const tls = clientTls(options)
  return {
    signal,
    connectTimeoutMs: timeout,
    ...(idle === undefined ? {} : { idleTimeoutMs: idle }),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
    ...(tls === undefined ? {} : { tls }),
    ...(proxy === undefined ? {} : { proxy }),
  }
}

/** With the time for the answer to the handshake besides. */
const webSocketOptions = (options: Options, context: CommandContext): WebSocketClientOptions => ({
  ...connectOptions(options, context),
  ...(options.timeout === undefined ? {} : { openTimeoutMs: options.timeout }),
})

async function checkStream(text: string, options: Options, context: CommandContext): Promise<string> {
  const connection = await connectStream(parseEndpoint(text), connectOptions(options, context))
  connection.destroy()
  return text
}

async function check(endpoints: readonly string[], options: Options, context: CommandContext): Promise<number> {
  let missing = 0
  for (const text of endpoints) {
    try {
      const shown = isWebSocket(text)
        ? await checkWebSocket(text, options, webSocketOptions(options, context))
        : await checkStream(text, options, context)
      context.output.say(`${shown} is open`, { endpoint: shown, open: true })
    } catch (error) {
      if (error instanceof UsageError) throw error
      missing += 1
      context.output.error(error)
    }
  }
  return missing === 0 ? EXIT.ok : EXIT.failed
}

async function connectDatagrams(
  endpoint: Endpoint,
  target: Endpoint | undefined,
  options: Options,
  { signal }: CommandContext,
): Promise<number> {
  refuseOptions(options, ['exec', 'idle'], `with ${endpoint.scheme}: it is for streams`)
  refuseTlsOptions(options, 'either', `with ${endpoint.scheme}: TLS is for streams`)
  const { 'local-address': localHost, 'local-port': localPort } = options
  const socket = await connectDatagram(endpoint, {
    signal,
    ...(localHost === undefined ? {} : { localHost }),
    ...(localPort === undefined ? {} : { localPort }),
  })
  if (target === undefined) return exchangeDatagrams(socket, options, signal)
  const other = await connectDatagram(target, { signal })
  signal.addEventListener('abort', () => socket.destroy(), { once: true })
  await relayDatagrams(socket, other, taps(options))
  return EXIT.ok
}

async function exchangeDatagrams(socket: DatagramSocket, options: Options, signal: AbortSignal): Promise<number> {
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
