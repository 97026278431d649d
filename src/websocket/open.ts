import type { Clock } from '../base/clock.js'
import { onAbort, throwIfAborted } from '../base/cancellation.js'
import { MoorageError, NetError, ProtocolError, TimeoutError, UsageError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import { formatBasicCredentials } from '../engine/http/basic.js'
import { fieldPairs } from '../engine/http/fields.js'
import { ClientConnection } from '../engine/http1/client-connection.js'
import type { ResponseHead } from '../engine/http1/message-head.js'
import { readHttp1ClientOptions } from '../engine/http1/options.js'
import { offerDeflate, readAnswer } from '../engine/websocket/deflate-parameters.js'
import { openingFields, readOpened, type ClientOpening } from '../engine/websocket/handshake.js'
import { connect, CONNECT_OPTIONS, type ConnectOptions } from '../transport/connect.js'
import type { Endpoint } from '../transport/endpoint.js'
import { parseEndpoint } from '../transport/endpoint.js'
import { hideSecrets } from '../transport/hidden-secrets.js'
import { StreamConnection } from '../transport/stream-connection.js'
import { Timeouts } from '../base/timeouts.js'
import type { MessageCounters } from './counters.js'
import { DeflateBudget, PeerDeflate } from './deflate.js'
import { WebSocketLink } from './link.js'
import { PEER_SPECS, type PeerSettings, type WebSocketClientSettings } from './options.js'
import { randomNonce, sha1Base64 } from './platform.js'

/** Where a URL leads, and what is asked for there. */
export interface WebSocketTarget {
  readonly endpoint: Endpoint
  /** Host, and port where it is not the usual one. */
  readonly host: string
  readonly path: string
  readonly authorization: string | undefined
  /** Without user and password. */
  readonly shown: string
}

const SCHEMES = new Map([
  ['ws:', 'tcp'],
  ['wss:', 'tls'],
  ['http:', 'tcp'],
  ['https:', 'tls'],
])

/** RFC 6455 §3. @throws UsageError `ERR_ENDPOINT`. */
export function parseTarget(url: string | URL, over: string | undefined): WebSocketTarget {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    // What is thrown has the whole URL, with its password: it is no cause to be shown.
    throw wrongUrl(String(url), 'it is no URL')
  }
  const scheme = SCHEMES.get(parsed.protocol)
  if (scheme === undefined) throw wrongUrl(String(url), `the scheme ${parsed.protocol} is not one of WebSocket`)
  if (parsed.hash !== '') throw wrongUrl(String(url), 'a WebSocket has no fragment ("#…")')
  const isTls = scheme === 'tls'
  const port = parsed.port === '' ? (isTls ? '443' : '80') : parsed.port
  const { username, password } = parsed
  const user = { user: decoded(url, username), password: decoded(url, password) }
  const authorization = username === '' && password === '' ? undefined : formatBasicCredentials(user)
  const shown = `${isTls ? 'wss' : 'ws'}://${parsed.host}${parsed.pathname}`
  const endpoint = parseEndpoint(over ?? `${scheme}://${parsed.hostname}:${port}`)
  return { endpoint, host: parsed.host, path: parsed.pathname + parsed.search, authorization, shown }
}

function decoded(url: string | URL, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrongUrl(String(url), 'its user or password has a "%" that encodes nothing')
  }
}

const wrongUrl = (url: string, why: string): UsageError =>
  new UsageError(
    'ERR_ENDPOINT',
    `Cannot connect to ${JSON.stringify(hideSecrets(url).slice(0, 200))}: ${why}; a right one is ws://127.0.0.1:8000/chat`,
  )

/** One set of timers for all clients of this thread that go by the same clock. */
const timeouts = new WeakMap<Clock, Timeouts>()

function timeoutsOf(clock: Clock): Timeouts {
  let found = timeouts.get(clock)
  if (found === undefined) timeouts.set(clock, (found = new Timeouts(clock, LOOK_MS)))
  return found
}

/** Timeouts of clients are as exact as a quarter of this. */
const LOOK_MS = 1000

/** Connects and shakes hands. @throws as `connectWebSocket` does. */
export async function openWebSocket(
  target: WebSocketTarget,
  settings: WebSocketClientSettings,
  totals: MessageCounters,
): Promise<WebSocketLink> {
  throwIfAborted(settings.signal)
  const isTls = target.shown.startsWith('wss:')
  const connection = await connect(target.endpoint, connectOptions(target, settings, isTls)).catch((error: unknown) => {
    throwIfAborted(settings.signal)
    throw atTarget(error, target)
  })
  if (!(connection instanceof StreamConnection)) throw new UsageError('ERR_ARGUMENT', 'Cannot use this connection')
  const unlink = onAbort(settings.signal, (reason) => connection.destroy(reason))
  try {
    return await shakeHands(connection, target, settings, totals)
  } catch (error) {
    connection.destroy(error)
    throwIfAborted(settings.signal)
    throw atTarget(error, target)
  } finally {
    unlink()
  }
}

/** Another protocol on the same port is not meant: one that speaks HTTP/2 first would not understand. */
const ALPN = ['http/1.1']

function connectOptions(target: WebSocketTarget, settings: WebSocketClientSettings, isTls: boolean): ConnectOptions {
  const options: [string, unknown][] = []
  for (const [name, value] of Object.entries(settings))
    if (name in CONNECT_OPTIONS && value !== undefined) options.push([name, value])
  const given: ConnectOptions = Object.fromEntries(options)
  if (!isTls) return { ...given, tls: undefined }
  const serverName = target.host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  return { ...given, tls: { alpn: ALPN, ...(target.endpoint.scheme === 'tls' ? {} : { serverName }), ...settings.tls } }
}

async function shakeHands(
  connection: StreamConnection,
  target: WebSocketTarget,
  settings: WebSocketClientSettings,
  totals: MessageCounters,
): Promise<WebSocketLink> {
  const budget = settings.compression === undefined ? undefined : new DeflateBudget(settings.compression)
  const opening: ClientOpening = {
    nonce: randomNonce(),
    protocols: settings.protocols,
    extensions: budget === undefined ? '' : offerDeflate(budget.wishes),
  }
  const engine = new ClientConnection(readHttp1ClientOptions({ maxBodyBytes: Infinity }))
  const { host, path: requested, authorization } = target
  const fields = [...openingFields(opening), ...fieldPairs(settings.headers)]
  if (authorization !== undefined && !fields.some(([name]) => name.toLowerCase() === 'authorization'))
    fields.push(['Authorization', authorization])
  const head = engine.request({ method: 'GET', target: requested, host, fields, upgrade: 'websocket' })
  await connection.write(Buffer.from(head + engine.end(), 'latin1'))
  const response = await readResponse(connection, engine, settings.openTimeoutMs)
  if (response.status !== 101) throw await refusedBy(response, connection, engine, target)
  const { protocol, extensions } = readOpened(response.fields, opening, sha1Base64)
  const deflate = agreed(extensions, budget)
  connection.unread(engine.takeRest())
  const own = peerSettings(settings)
  const timeouts = timeoutsOf(connection.clock)
  return new WebSocketLink({ connection, role: 'client', settings: own, protocol, deflate, timeouts, totals })
}

function peerSettings(settings: WebSocketClientSettings): PeerSettings {
  return readOptions(
    'WebSocket',
    PEER_SPECS,
    Object.fromEntries(Object.entries(settings).filter(([name]) => name in PEER_SPECS)),
  )
}

function agreed(answer: string | undefined, budget: DeflateBudget | undefined): PeerDeflate | undefined {
  if (answer === undefined || budget === undefined) return undefined
  const parameters = readAnswer(answer, budget.wishes)
  if (parameters !== undefined) return new PeerDeflate('client', parameters, budget)
  throw new ProtocolError(
    'ERR_WEBSOCKET_HANDSHAKE',
    `Cannot open a WebSocket: the server answered an extension that it may not: ${JSON.stringify(answer.slice(0, 64))}`,
    { details: { section: 'RFC 7692 §7.1' } },
  )
}

/** The head of the answer; those before it are passed over. */
async function readResponse(
  connection: StreamConnection,
  engine: ClientConnection,
  timeoutMs: number,
): Promise<ResponseHead> {
  const until = connection.clock.now() + timeoutMs
  for (;;) {
    const event = engine.nextEvent()
    if (event.type === 'response') return event
    if (event.type === 'interim') continue
    const leftMs = until - connection.clock.now()
    if (leftMs <= 0) throw noAnswer(timeoutMs)
    const bytes = await connection.read({ timeoutMs: leftMs }).catch((error: unknown) => {
      throw error instanceof TimeoutError ? noAnswer(timeoutMs) : error
    })
    if (bytes === null) engine.receiveEof()
    else engine.receive(bytes)
    if (bytes === null && event.type === 'end')
      throw new ProtocolError('ERR_UNEXPECTED_END', 'Cannot open a WebSocket: the server ended without an answer')
  }
}

const noAnswer = (timeoutMs: number): TimeoutError =>
  new TimeoutError('ERR_READ_TIMEOUT', `the server answered nothing within ${timeoutMs} ms`, { details: { timeoutMs } })

/** What whoever typed the URL can do about it. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/self[- ]signed|unable to (?:get|verify)/i, '; give the certificate of its authority as tls.ca (--ca)'],
  [/first line|was not offered/, '; that is no WebSocket server'],
]

/** The same error, which says what was to be opened. */
function atTarget(error: unknown, { shown }: WebSocketTarget): unknown {
  if (!(error instanceof MoorageError) || error instanceof UsageError || error.message.includes(shown)) return error
  const hint = HINTS.find(([pattern]) => pattern.test(error.message))?.[1] ?? ''
  const message = `Cannot open a WebSocket at ${shown}: ${error.message}${hint}`
  const extras = { cause: error, fault: error.fault, details: error.details }
  if (error instanceof TimeoutError) return new TimeoutError(error.code, message, extras)
  if (error instanceof NetError) return new NetError(error.code, message, extras)
  return error instanceof ProtocolError ? new ProtocolError(error.code, message, extras) : error
}

const MAX_SHOWN_BYTES = 4096
const BODY_TIMEOUT_MS = 1000

/** What a server says that does not switch: its body tells why, where there is one. */
async function refusedBy(
  { status, reason, fields }: ResponseHead,
  connection: StreamConnection,
  engine: ClientConnection,
  { shown }: WebSocketTarget,
): Promise<ProtocolError> {
  let body = ''
  try {
    for (let done = false; !done && body.length < MAX_SHOWN_BYTES;) {
      const event = engine.nextEvent()
      if (event.type === 'data') body += Buffer.from(event.bytes).toString('utf8')
      else if (event.type === 'need-data') {
        const bytes = await connection.read({ timeoutMs: BODY_TIMEOUT_MS })
        if (bytes === null) engine.receiveEof()
        else engine.receive(bytes)
      } else done = true
    }
  } catch (error) {
    // What has come of it is what is told.
    if (!(error instanceof MoorageError)) throw error
  }
  const location = fields.get('location')
  const why = location === undefined ? firstLine(body) : `look at ${location.slice(0, 200)}`
  return new ProtocolError(
    'ERR_WEBSOCKET_HANDSHAKE',
    `Cannot open a WebSocket at ${shown}: the server answered ${status} ${reason}${why === '' ? '' : `: ${why}`}`,
    { details: { status, body: body.slice(0, MAX_SHOWN_BYTES), retryAfter: fields.get('retry-after') } },
  )
}

const firstLine = (body: string): string =>
  body.trimStart().startsWith('<')
    ? ''
    : (body.split(/[\r\n]/)[0] ?? '').replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, '?').slice(0, 200)
