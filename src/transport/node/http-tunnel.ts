import { escapeBytes } from '../../base/ascii.js'
import { ProtocolError } from '../../base/errors.js'
import { ClientConnection } from '../../engine/http1/client-connection.js'
import type { ResponseHead } from '../../engine/http1/message-head.js'
import { readHttp1ClientOptions } from '../../engine/http1/options.js'
import type { ProxyServer } from '../proxy-server.js'
import type { StreamConnection } from '../stream-connection.js'
import { formatTarget, type TunnelRefusal, type TunnelTarget } from './tunnel-target.js'

/** A proxy says little before a tunnel; this bounds all of it, at 5 × 20 KiB. */
const ANSWER_LIMITS = readHttp1ClientOptions({
  maxStartLineBytes: 4096,
  maxFieldsBytes: 16_384,
  maxInterimResponses: 4,
})

const PROXY_AUTHENTICATION_REQUIRED = 407

/** RFC 9110 §9.3.6: CONNECT. What the target sent at once stands ready to be read. */
export async function askHttpProxy(
  connection: StreamConnection,
  proxy: ProxyServer,
  target: TunnelTarget,
): Promise<TunnelRefusal | undefined> {
  const engine = new ClientConnection(ANSWER_LIMITS)
  const authority = formatTarget(target)
  const head = engine.request({
    method: 'CONNECT',
    target: authority,
    host: authority,
    fields: proxy.headersOf('CONNECT', authority),
  })
  await connection.write(Buffer.from(head + engine.end(), 'latin1'))
  for (;;) {
    const event = engine.nextEvent()
    if (event.type === 'response') {
      if (event.status < 200 || event.status >= 300) return refusalOf(event)
      connection.beginTunnel(engine.takeRest())
      return undefined
    }
    if (event.type === 'interim') continue
    if (event.type !== 'need-data') throw new ProtocolError('ERR_UNEXPECTED_END', 'The proxy ended before it answered')
    const bytes = await connection.read()
    if (bytes === null) engine.receiveEof()
    else engine.receive(bytes)
  }
}

function refusalOf({ status, reason, fields }: ResponseHead): TunnelRefusal {
  const needsCredentials = status === PROXY_AUTHENTICATION_REQUIRED
  const wanted = needsCredentials ? fields.get('proxy-authenticate') : undefined
  return {
    code: needsCredentials ? 'ERR_PROXY_AUTH' : 'ERR_TUNNEL_REFUSED',
    reason: `it answered ${status} ${escapeBytes(Buffer.from(reason, 'latin1'))}`.trimEnd(),
    // Whole, as it is parsed by whoever answers it: the limits above bound it.
    details: { status, ...(wanted === undefined ? {} : { authenticate: wanted }) },
  }
}
