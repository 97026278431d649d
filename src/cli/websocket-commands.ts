import { UsageError } from '../base/index.js'
import { HttpError, serveHttp, type HttpFunction, type HttpResponse } from '../http/index.js'
import { formatAddress, parseEndpoint } from '../transport/index.js'
import { connectWebSocket, websocket, type WebSocketClient, type WebSocketClientOptions } from '../websocket/index.js'
import { EXIT, type CommandContext } from './command.js'
import { Hall } from './hall.js'
import { refuseOptions } from './options.js'
import { serverTls, type TlsServerFiles } from './tls-files.js'
import { checkEnd, converse, execTalk, talk, type TalkOptions } from './websocket-talk.js'

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

export const ORIGIN_OPTION = {
  origin: {
    type: 'text',
    value: '<url>',
    multiple: true,
    help: 'ws: pages of this site may connect, as http://127.0.0.1:8000, or * for those of all; may be given several times. Without it only pages of the same host and port may, and programs that are no browsers',
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
    [...Object.keys(WEBSOCKET_OPTIONS), 'header', 'origin'],
    'here: it is for ws: and wss:',
  )
}

function checkTalk(options: WebSocketTalkOptions): void {
  refuseOptions({ ...options }, ['relay', 'crlf', 'idle'], 'with ws: and wss:')
  if (options.ping === 0) throw new UsageError('ERR_OPTION_VALUE', 'Cannot use --ping 0: expected a time above 0')
}

/** A URL without what may be secret in it. */
function shownUrl(url: string): string {
  const { protocol, host, pathname, search } = new URL(url)
  return `${protocol}//${host}${pathname}${search === '' ? '' : '?…'}`
}

export interface WebSocketConnectOptions extends WebSocketTalkOptions {
  readonly header: readonly string[]
}

function open(
  url: string,
  options: WebSocketConnectOptions,
  settings: WebSocketClientOptions,
): Promise<WebSocketClient> {
  checkTalk(options)
  return connectWebSocket(url, {
    ...settings,
    headers: options.header.map(readHeader),
    protocols: options.subprotocol,
    ...(options.compress === true ? { compression: {} } : {}),
    maxMessageBytes: MAX_MESSAGE_BYTES,
  })
}

/** Whether there is a WebSocket: `moorage connect -z ws://…`. Gives the URL as it may be shown. */
export async function checkWebSocket(
  url: string,
  options: WebSocketConnectOptions,
  settings: WebSocketClientOptions,
): Promise<string> {
  const client = await open(url, options, settings)
  await client.close()
  return shownUrl(url)
}

/** `moorage connect ws://…` */
export async function connectToWebSocket(
  url: string,
  options: WebSocketConnectOptions,
  settings: WebSocketClientOptions,
  { output }: CommandContext,
): Promise<number> {
  const client = await open(url, options, settings)
  const remote = formatAddress(client.peer.remote)
  const protocol = client.protocol === '' ? '' : `, speaking ${client.protocol}`
  output.detail(`connected: ${remote}${protocol}`, { event: 'connected', remote, protocol: client.protocol })
  if (options.exec !== undefined) return execTalk(client, options.exec, { MOORAGE_REMOTE: remote }, options)
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && options.binary !== true
  if (isTerminal)
    output.note(`connected to ${shownUrl(url)}${protocol}; /ping, /close [code] [reason], Ctrl-D to leave`)
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

/** @throws UsageError `ERR_OPTION_VALUE`. */
function readOrigins(given: readonly string[]): 'same' | 'any' | readonly string[] {
  if (given.includes('*')) return 'any'
  return given.length === 0 ? 'same' : given.map(readOrigin)
}

/** As browsers write it: without a path, and without the port that goes without saying. */
function readOrigin(text: string): string {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && `${url.pathname}${url.search}${url.hash}${url.username}` === '/') return url.origin
  throw new UsageError(
    'ERR_OPTION_VALUE',
    `Cannot use --origin ${JSON.stringify(text)}: expected the address of a site, as in --origin http://127.0.0.1:8000, or * for all`,
  )
}

/** `moorage listen ws://…` */
export async function listenForWebSockets(
  url: string,
  options: WebSocketTalkOptions &
    TlsServerFiles & {
      readonly 'keep-open': boolean | undefined
      readonly max: number | undefined
      readonly origin: readonly string[]
    },
  context: CommandContext,
): Promise<number> {
  checkTalk(options)
  const { output, signal } = context
  const endpoint = parseEndpoint(url)
  if (!('port' in endpoint)) throw new UsageError('ERR_ENDPOINT', 'Cannot listen: expected ws://host:port')
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
    origins: readOrigins(options.origin),
  })
  const path = endpoint.path === '' ? '/' : endpoint.path
  const handler: HttpFunction = async (request, server): Promise<HttpResponse> => {
    if (endpoint.path !== '' && request.path !== path) throw new HttpError(404)
    const leave = await hall.enter(request.signal)
    try {
      return await service(request, server)
    } catch (error) {
      leave()
      throw error
    }
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
