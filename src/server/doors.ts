import { UsageError } from '../base/errors.js'
import { formatEndpoint, type Endpoint, type Scheme } from '../transport/endpoint.js'

/** @throws UsageError `ERR_ENDPOINT_SCHEME`, naming the door for that scheme. */
export function checkScheme(endpoint: Endpoint, schemes: readonly Scheme[]): void {
  if (schemes.includes(endpoint.scheme)) return
  const door = DOORS[endpoint.scheme]
  throw new UsageError(
    'ERR_ENDPOINT_SCHEME',
    `Cannot serve ${formatEndpoint(endpoint)} here: this door takes ${schemes.map((scheme) => `${scheme}:`).join(', ')}; ${door}`,
    { details: { scheme: endpoint.scheme } },
  )
}

/** Where each scheme is served instead. */
const DOORS: Readonly<Record<Scheme, string>> = {
  tcp: 'use TcpServer or serve()',
  tls: 'use TlsServer or serve()',
  unix: 'use UnixStreamServer or serve()',
  fd: 'use serve()',
  memory: 'use serve()',
  udp: 'use UdpServer or serve()',
  unixgram: 'use UnixDatagramServer or serve()',
  http: 'use serveHttp() of moorage/http',
  https: 'use serveHttp() of moorage/http',
  'http+unix': 'use serveHttp() of moorage/http',
  ws: 'a WebSocket is served by mounting its handler on an HTTP server',
  wss: 'a WebSocket is served by mounting its handler on an HTTP server',
}
