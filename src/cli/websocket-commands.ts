import { UsageError } from '../base/index.js'
import { HttpError, serveHttp, type HttpFunction } from '../http/index.js'
import { formatAddress, parseEndpoint } from '../transport/index.js'
import { connectWebSocket, websocket, type WebSocketClientOptions, type WebSocketPeer } from '../websocket/index.js'
import { EXIT, type CommandContext } from './command.js'
import { refuseOptions } from './options.js'
import { serverTls, type TlsServerFiles } from './tls-files.js'
import { checkEnd, converse, execTalk, keepPinging, talk, type TalkOptions } from './websocket-talk.js'

/** What `connect` and `listen` can do with a WebSocket besides. */
export const WEBSOCKET_OPTIONS = {
  binary: {
    type: 'flag',
    short: 'b',
    help: 'ws: send what is read as binary messages, and print messages as they are; without it a line is a text message',
  },
  subprotocol: {
    type: 'text',
    value: '<name>',
    multiple: true,
    help: 'ws: a subprotocol that is spoken; may be given several times, the best first',
  },
  compress: { type: 'flag', help: 'ws: compress messages, where the other end does it too' },
  ping: {
    type: 'seconds',
    value: '<time>',
    help: 'ws: ping the other end so often, and tell how long the answer took',
  },
} as const

export const HEADER_OPTION = {
  header: {
    type: 'text',
    short: 'H',
    value: '<name: value>',
    multiple: true,
    help: 'ws: a field of the request, as in -H "Authorization: Bearer …"; may be given several times',
  },
  proxy: {
    type: 'text',
    value: '<url>',
    help: 'go through this proxy: http:, https:, socks4:, socks4a:, socks5:, socks5h:',
  },
} as const

export interface WebSocketTalkOptions extends TalkOptions {
  readonly subprotocol: readonly string[]
  readonly compress: boolean | undefined
  readonly exec: string | undefined
  readonly relay: string | undefined
  readonly crlf: boolean | undefined
  readonly idle: number | undefined
}

export const isWebSocket = (endpoint: string): boolean => /^wss?:/i.test(endpoint)

/** @throws UsageError `ERR_OPTION_VALUE`. */
export function refuseWebSocketOptions(options: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(options).filter(([, value]) => !Array.isArray(value) || value.length > 0)
  refuseOptions(
    Object.fromEntries(given),
    [...Object.keys(WEBSOCKET_OPTIONS), 'header'],
    'here: it is for ws: and wss:',
  )
}

function checkTalk(options: WebSocketTalkOptions): void {
  refuseOptions({ ...options }, ['relay', 'crlf', 'idle'], 'with ws: and wss:')
}

/** `moorage connect ws://…` */
export async function connectToWebSocket(
  url: string,
  options: WebSocketTalkOptions & { readonly header: readonly string[]; readonly check: boolean | undefined },
  settings: WebSocketClientOptions,
  { output }: CommandContext,
): Promise<number> {
  checkTalk(options)
  const client = await connectWebSocket(url, {
    ...settings,
    headers: options.header.map(readHeader),
    protocols: options.subprotocol,
    ...(options.compress === true ? { compression: {} } : {}),
    maxMessageBytes: MAX_MESSAGE_BYTES,
  })
  const remote = formatAddress(client.peer.remote)
  if (options.check === true) {
    await client.close()
    output.say(`${url} is open`, { endpoint: url, open: true })
    return EXIT.ok
  }
  const protocol = client.protocol === '' ? '' : `, speaking ${client.protocol}`
  output.detail(`connected: ${remote}${protocol}`, { event: 'connected', remote, protocol: client.protocol })
  if (options.exec !== undefined) return execTalk(client, options.exec, { MOORAGE_REMOTE: remote }, options)
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && options.binary !== true
  if (isTerminal) output.note(`connected to ${url}${protocol}; /ping, /close [code] [reason], Ctrl-D to leave`)
  const report = isTerminal ? await converse(client, output, options) : await talk(client, process.stdin, options)
  checkEnd(report, output)
  return EXIT.ok
}

/** A message for a person or a pipe may be long. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024

function readHeader(text: string): readonly [string, string] {
  const colon = text.indexOf(':')
  if (colon < 1)
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot use --header ${JSON.stringify(text)}: expected a name, a colon and a value, as in --header "Authorization: Bearer abc"`,
    )
  return [text.slice(0, colon), text.slice(colon + 1).trim()]
}

/** `moorage listen ws://…` */
export async function listenForWebSockets(
  url: string,
  options: WebSocketTalkOptions &
    TlsServerFiles & { readonly 'keep-open': boolean | undefined; readonly max: number | undefined },
  context: CommandContext,
): Promise<number> {
  checkTalk(options)
  const { output, signal } = context
  const endpoint = parseEndpoint(url)
  if (!('port' in endpoint)) throw new UsageError('ERR_ENDPOINT', `Cannot listen on ${url}: expected ws://host:port`)
  const isTls = endpoint.scheme === 'wss'
  const tls = await serverTls(options, isTls, output)
  const http = {
    ...endpoint,
    scheme: tls === undefined ? ('http' as const) : ('https' as const),
    path: '',
    parameters: {},
  }
  const hall = new Hall(options, context)
  const service = websocket((peer) => hall.attend(peer), {
    protocols: options.subprotocol,
    ...(options.compress === true ? { compression: {} } : {}),
    maxMessageBytes: MAX_MESSAGE_BYTES,
  })
  const path = endpoint.path === '' ? '/' : endpoint.path
  const handler: HttpFunction = (request, server) => {
    if (endpoint.path !== '' && request.path !== path) throw new HttpError(404)
    // The terminal and its one conversation are taken.
    if (hall.isFull) throw new HttpError(503, 'Somebody is connected already', { headers: { 'Retry-After': '1' } })
    return service(request, server)
  }
  await using server = await serveHttp(http, handler, tls === undefined ? {} : { tls })
  const shown = `${server.endpoint.replace(/^http/, 'ws')}${endpoint.path}`
  output.say(`listening on ${shown}`, { event: 'listening', endpoint: shown })
  const stop = (): void => hall.leave()
  signal.addEventListener('abort', stop, { once: true })
  await hall.over
  signal.removeEventListener('abort', stop)
  await server.close({ graceMs: 1000 })
  process.stdin.destroy()
  return EXIT.ok
}

interface HallOptions extends WebSocketTalkOptions {
  readonly 'keep-open': boolean | undefined
  readonly max: number | undefined
}

/** Those who are connected to this terminal: one, or with --keep-open one after the other; with --exec several at once. */
class Hall {
  readonly #options: HallOptions
  readonly #context: CommandContext
  readonly #most: number
  #there = 0
  #leave: (() => void) | undefined
  readonly over: Promise<void>

  constructor(options: HallOptions, context: CommandContext) {
    this.#options = options
    this.#context = context
    const keepsOpen = options['keep-open'] === true
    this.#most = keepsOpen && options.exec !== undefined ? (options.max ?? 100) : 1
    this.over = new Promise((resolve) => (this.#leave = resolve))
  }

  get isFull(): boolean {
    return this.#there >= this.#most
  }

  leave(): void {
    this.#leave?.()
  }

  async attend(peer: WebSocketPeer): Promise<void> {
    const { output } = this.#context
    const remote = formatAddress(peer.remote)
    this.#there += 1
    output.detail(`connected: ${remote}`, { event: 'connected', remote })
    try {
      await this.#meet(peer, remote)
    } catch (error) {
      output.error(error)
    }
    output.detail(`disconnected: ${remote}`, { event: 'disconnected', remote })
    this.#there -= 1
    if (this.#options['keep-open'] !== true) this.leave()
  }

  async #meet(peer: WebSocketPeer, remote: string): Promise<void> {
    const options = this.#options
    if (options.exec !== undefined) {
      await execTalk(peer, options.exec, { MOORAGE_REMOTE: remote, MOORAGE_LOCAL: formatAddress(peer.local) }, options)
      return
    }
    if (options['keep-open'] === true) {
      await this.#feed(peer)
      return
    }
    const isTerminal = process.stdin.isTTY && process.stdout.isTTY && options.binary !== true
    const report = isTerminal
      ? await converse(peer, this.#context.output, options)
      : await talk(peer, process.stdin, options)
    checkEnd(report, this.#context.output)
  }

  /** The input outlives the connection: it goes to whoever is connected when it is typed. */
  async #feed(peer: WebSocketPeer): Promise<void> {
    const { binary, ping } = this.#options
    const stop = keepPinging(peer, ping)
    const feed = (chunk: Buffer): void => {
      if (binary === true) void peer.send(chunk)
      else for (const line of chunk.toString().replace(/\n$/, '').split('\n')) void peer.send(line)
    }
    process.stdin.on('data', feed)
    for await (const message of peer)
      process.stdout.write(typeof message === 'string' && binary !== true ? `${message}\n` : message)
    process.stdin.off('data', feed)
    stop()
  }
}
