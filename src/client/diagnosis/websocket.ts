import { createHash, randomFillSync } from 'node:crypto'
import { ProtocolError, TimeoutError, UsageError } from '../../base/errors.js'
import { onAbort, throwIfAborted } from '../../base/cancellation.js'
import { fieldPairs } from '../../engine/http/fields.js'
import { ClientConnection } from '../../engine/http1/client-connection.js'
import type { ResponseHead } from '../../engine/http1/message-head.js'
import { readHttp1ClientOptions } from '../../engine/http1/options.js'
import { openingFields, readOpened } from '../../engine/websocket/handshake.js'
import { connect } from '../../transport/connect.js'
import { StreamConnection } from '../../transport/stream-connection.js'
import { systemClock } from '../../transport/system-clock.js'
import { basic } from '../auth.js'
import type { Finding } from './steps.js'
import type { Trail } from './trail.js'

const NORMAL_CLOSE = Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8)

/** RFC 6455 §4.1: the opening handshake, and goodbye. */
export async function openWebSocket(trail: Trail): Promise<Finding<'websocket'>> {
  const { target, settings, signal, route } = trail
  if (!trail.isWebSocket && !settings.websocket)
    return { outcome: 'skipped', summary: 'the URL is not one of a WebSocket', facts: {} }
  trail.reached = 'response'
  const opening = { nonce: randomFillSync(new Uint8Array(16)), protocols: [], extensions: '' }
  const engine = new ClientConnection(readHttp1ClientOptions())
  const { host, path } = target
  const fields = [...openingFields(opening), ...(await credentials(trail)), ...fieldPairs(settings.headers)]
  const head = engine.request({ method: 'GET', target: path, host, fields, upgrade: 'websocket' })
  const connection = await connect(route.endpoint, { ...trail.connecting, tls: route.tls })
  if (!(connection instanceof StreamConnection)) throw new UsageError('ERR_ARGUMENT', 'Cannot use this connection')
  const unlink = onAbort(signal, (reason) => connection.destroy(reason))
  try {
    await connection.write(Buffer.from(head + engine.end(), 'latin1'))
    const { status, reason, fields: answered } = await readResponse(connection, engine, settings.responseTimeoutMs)
    if (status !== 101) throw refused(status, reason)
    const { protocol } = readOpened(answered, opening, (text) => createHash('sha1').update(text).digest('base64'))
    await connection.write(NORMAL_CLOSE)
    return { summary: 'the server switched to the WebSocket', facts: { status, protocol } }
  } catch (error) {
    throwIfAborted(signal)
    throw error
  } finally {
    unlink()
    connection.destroy()
  }
}

/** As `connectWebSocket` sends them, and those that a session would begin with. */
async function credentials({ settings, target }: Trail): Promise<readonly (readonly [string, string])[]> {
  const { user, password } = target
  const own = user === undefined && password === undefined ? undefined : basic(user ?? '', password ?? '')
  const value = await (settings.auth ?? own)?.authorize({
    method: 'GET',
    target: target.path,
    origin: target.origin,
    hostname: target.hostname,
    body: undefined,
    wanted: undefined,
    sent: undefined,
  })
  return value === undefined ? [] : [['Authorization', value]]
}

async function readResponse(
  connection: StreamConnection,
  engine: ClientConnection,
  timeoutMs: number,
): Promise<ResponseHead> {
  const until = systemClock.now() + timeoutMs
  for (;;) {
    const event = engine.nextEvent()
    if (event.type === 'response') return event
    if (event.type === 'interim') continue
    if (event.type !== 'need-data')
      throw new ProtocolError('ERR_UNEXPECTED_END', 'Cannot open a WebSocket: the server ended without an answer')
    const bytes = await connection
      .read({ timeoutMs: Math.max(1, until - systemClock.now()) })
      .catch((error: unknown) => {
        throw error instanceof TimeoutError ? silent(timeoutMs) : error
      })
    if (bytes === null) engine.receiveEof()
    else engine.receive(bytes)
  }
}

const silent = (timeoutMs: number): TimeoutError =>
  new TimeoutError('ERR_RESPONSE_TIMEOUT', `The server sent no response for ${timeoutMs} ms`, {
    details: { timeoutMs },
  })

const refused = (status: number, reason: string): ProtocolError =>
  new ProtocolError(
    'ERR_WEBSOCKET_HANDSHAKE',
    `Cannot open a WebSocket: the server answered ${`${status} ${reason}`.trimEnd()}`,
    { details: { status } },
  )
