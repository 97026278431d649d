import type { Readable } from 'node:stream'
import { UsageError } from '../../base/index.js'
import {
  bindDatagram,
  formatAddress,
  formatEndpoint,
  listen as listenForStreams,
  parseEndpoint,
  type Address,
  type Connection,
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
import { receiveTo, sendFrom } from '../datagram-pipes.js'
import { execFor } from '../exec.js'
import { refuseOptions, type ParsedOptions } from '../options.js'
import {
  isWebSocket,
  listenForWebSockets,
  ORIGIN_OPTION,
  refuseWebSocketOptions,
  WEBSOCKET_OPTIONS,
} from '../websocket-commands.js'
import { converse, pumpOut, relayTo } from '../pipes.js'
import { clientTls, refuseTlsOptions, serverTls, TLS_OPTIONS } from '../tls-files.js'

const OPTIONS = {
  'keep-open': {
    type: 'flag',
    short: 'k',
    help: 'go on with the next connection after the first; with --exec and --relay several at once',
  },
  max: { type: 'number', value: '<n>', default: '100', help: 'connections at once with --keep-open; more wait' },
  ...CONVERSATION_OPTIONS,
  ...WEBSOCKET_OPTIONS,
  ...ORIGIN_OPTION,
  ...TLS_OPTIONS,
} as const

type Options = ParsedOptions<typeof OPTIONS>

export const listen: Command = defineCommand({
  name: 'listen',
  parameters: '<endpoint>',
  summary: 'Waits for a connection, prints what comes and sends standard input: the other end of connect.',
  options: OPTIONS,
  examples: [
    ['moorage listen tcp://127.0.0.1:9000', 'the first client talks to this terminal'],
    ['moorage listen -k tcp://127.0.0.1:9000 --exec "tr a-z A-Z"', 'a program for each client'],
    ['moorage listen -k tls://:9443 --tls --relay tcp://127.0.0.1:9000', 'TLS in front of a server that has none'],
    ['moorage listen ws://127.0.0.1:9000/chat', 'a WebSocket, for a page or for moorage connect'],
    [
      'moorage listen udp://127.0.0.1:9999',
      'print datagrams; what is typed goes to the last sender, and waits for the first',
    ],
  ],
  async run(endpoints, options, context) {
    const [text] = endpoints
    if (text === undefined || endpoints.length > 1) {
      throw new UsageError(
        'ERR_ARGUMENT',
        'Cannot listen: give one endpoint, as in moorage listen tcp://127.0.0.1:9000',
      )
    }
    if (options.max === 0) throw new UsageError('ERR_OPTION_VALUE', 'Cannot use --max 0: expected 1 or more')
    if (isWebSocket(text)) return listenForWebSockets(text, options, context)
    refuseWebSocketOptions(options)
    const endpoint = parseEndpoint(text)
    if (carriesDatagrams(endpoint)) return listenForDatagrams(endpoint, options, context)
    const meet = meeting(options, relayTarget(options, endpoint), context)
    const secure = endpoint.scheme === 'tls'
    const tls = await serverTls(options, secure, context.output)
    const listener = await listenForStreams(endpoint, {
      ...(tls === undefined ? {} : { tls }),
      ...(options.idle === undefined ? {} : { idleTimeoutMs: options.idle }),
    })
    context.output.say(`listening on ${listener.endpoint}`, { event: 'listening', endpoint: listener.endpoint })
    const stop = (): void => void listener.close()
    context.signal.addEventListener('abort', stop, { once: true })
    try {
      return options['keep-open'] === true
        ? await serveMany(listener, meet, options, context)
        : await serveOne(listener, meet, context)
    } finally {
      context.signal.removeEventListener('abort', stop)
      await listener.close()
      // An input that is still open would keep the process.
      process.stdin.destroy()
    }
  },
})

type Listener = Awaited<ReturnType<typeof listenForStreams>>
type Meeting = (connection: Connection) => Promise<unknown>

/** What is done with each connection: a program, another connection, or this terminal. */
function meeting(options: Options, target: Endpoint | undefined, { signal }: CommandContext): Meeting {
  const { exec } = options
  if (target === undefined) refuseTlsOptions(options, 'client', 'without --relay: it is for the side that connects')
  if (exec !== undefined) return (connection) => execFor(connection, exec, taps(options))
  // ALPN is agreed on with who connects.
  const tls = clientTls({ ...options, tls: undefined, alpn: undefined })
  if (target !== undefined)
    return (connection) => relayTo(connection, target, { signal, ...(tls && { tls }) }, taps(options))
  // One for all connections: the input goes on from one to the next.
  const input = inputFor(options)
  return (connection) => talk(connection, input, options)
}

async function serveOne(listener: Listener, meet: Meeting, context: CommandContext): Promise<number> {
  const connection = await listener.accept()
  await listener.close()
  if (connection === null) return EXIT.ok
  await attend(connection, meet, context)
  return EXIT.ok
}

/** Programs and relays serve many at once; the one terminal serves one after the other. */
async function serveMany(
  listener: Listener,
  meet: Meeting,
  options: Options,
  context: CommandContext,
): Promise<number> {
  const most = options.exec === undefined && options.relay === undefined ? 1 : (options.max ?? 100)
  const running = new Set<Promise<void>>()
  for await (const connection of listener) {
    const attending: Promise<void> = attend(connection, meet, context)
      .catch((error: unknown) => context.output.error(error))
      .finally(() => running.delete(attending))
    running.add(attending)
    if (running.size >= most) await Promise.race(running)
  }
  await Promise.all(running)
  return EXIT.ok
}

async function attend(connection: Connection, meet: Meeting, { output, signal }: CommandContext): Promise<void> {
  const remote = formatAddress(connection.remote)
  output.detail(`connected: ${remote}`, { event: 'connected', remote })
  const stop = (): void => connection.destroy(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await meet(connection)
  } finally {
    signal.removeEventListener('abort', stop)
    await connection.close()
    output.detail(`disconnected: ${remote}`, { event: 'disconnected', remote })
  }
}

async function talk(connection: Connection, input: Readable, options: Options): Promise<void> {
  const { tapOut, tapIn } = taps(options)
  if (options['keep-open'] === true) {
    // The input outlives the connection: it goes to whoever is connected when it is typed.
    const feed = (chunk: Buffer): void => {
      tapOut?.(chunk)
      void connection.write(chunk)
    }
    input.on('data', feed)
    await pumpOut(connection, process.stdout, tapIn).finally(() => input.off('data', feed))
    return
  }
  await converse(connection, input, process.stdout, { tapOut, tapIn })
}

async function listenForDatagrams(endpoint: Endpoint, options: Options, context: CommandContext): Promise<number> {
  refuseOptions(options, ['exec', 'relay', 'idle'], `with ${endpoint.scheme}: it is for streams`)
  refuseTlsOptions(options, 'either', `with ${endpoint.scheme}: TLS is for streams`)
  const socket = await bindDatagram(endpoint)
  const { local } = socket
  const shown =
    local.kind === 'ip'
      ? formatEndpoint({ scheme: 'udp', host: local.host, port: local.port, path: '', parameters: {} })
      : formatEndpoint(endpoint)
  context.output.say(`listening on ${shown}`, { event: 'listening', endpoint: shown })
  context.signal.addEventListener('abort', () => void socket.close(), { once: true })
  const pipe = { ...taps(options), lineEnding: lineEnding(options) }
  let last: Address | undefined
  const answer = (): void => {
    sendFrom(process.stdin, socket, () => last, pipe).catch((error: unknown) => {
      if (!context.signal.aborted) context.output.error(error)
    })
  }
  await receiveTo(process.stdout, socket, pipe, ({ remote, truncated }) => {
    if (truncated) context.output.warn('a datagram was longer than 65,535 bytes and was cut')
    if (remote.kind === 'unix' && remote.path === '') return
    const isFirst = last === undefined
    last = remote
    // What was typed before waits: there was nobody to send it to.
    if (isFirst) answer()
  })
  process.stdin.destroy()
  return EXIT.ok
}
