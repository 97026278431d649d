import { ProtocolError } from '../../base/errors.js'
import { SocksClient } from '../../engine/socks/client.js'
import type { SocksRefused } from '../../engine/socks/messages.js'
import type { ProxyServer } from '../proxy-server.js'
import type { StreamConnection } from '../stream-connection.js'
import type { TunnelRefusal, TunnelTarget } from './tunnel-target.js'

/** Runs the handshake. What the target sent at once stands ready to be read. */
export async function askSocksProxy(
  connection: StreamConnection,
  proxy: ProxyServer,
  target: TunnelTarget,
): Promise<TunnelRefusal | undefined> {
  const engine = new SocksClient(proxy.socksRequest(target))
  for (;;) {
    const event = engine.nextEvent()
    switch (event.type) {
      case 'send':
        await connection.write(event.bytes)
        break
      case 'connected':
        connection.beginTunnel(engine.takeRest())
        return undefined
      case 'refused':
        return refusalOf(event)
      case 'need-data': {
        const bytes = await connection.read()
        if (bytes === null) engine.receiveEof()
        else engine.receive(bytes)
        break
      }
      case 'end':
        throw new ProtocolError('ERR_UNEXPECTED_END', 'The proxy ended before it answered')
    }
  }
}

const refusalOf = ({ at, reply, reason }: SocksRefused): TunnelRefusal => ({
  code: at === 'request' ? 'ERR_TUNNEL_REFUSED' : 'ERR_PROXY_AUTH',
  reason,
  details: { reply },
})
