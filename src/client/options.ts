import { byteCount, count, milliseconds, type OptionSpecs } from '../base/options.js'

/** What bounds the connections of a session. */
export interface PoolSettings {
  readonly maxConnectionsPerOrigin: number
  readonly maxConnections: number
  readonly maxWaiting: number
  readonly keepAliveTimeoutMs: number
  readonly maxRequestsPerConnection: number
}

export const POOL_SPECS: OptionSpecs<PoolSettings> = {
  maxConnectionsPerOrigin: count(
    64,
    'Connections to one origin at a time; what comes beyond waits for one of them. Browsers have 6, aiohttp 100 in all, undici and Go no bound.',
  ),
  maxConnections: count(512, 'Connections of the session in all; of those that idle the oldest makes room.'),
  maxWaiting: count(10_000, 'Requests that wait for a connection, to all origins together.'),
  keepAliveTimeoutMs: milliseconds(
    30_000,
    'Milliseconds that a connection is kept for the next request, less where the server says so in `Keep-Alive`. curl has 118 s, undici 4 s.',
  ),
  maxRequestsPerConnection: count(Infinity, 'Requests after which a connection is ended. nginx ends it after 1,000.'),
}

/** How long each phase of a request may take. */
export interface TimeoutSettings {
  readonly connectTimeoutMs: number
  readonly handshakeTimeoutMs: number
  readonly poolTimeoutMs: number
  readonly responseTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly timeoutMs: number
}

export const TIMEOUT_SPECS: OptionSpecs<TimeoutSettings> = {
  connectTimeoutMs: milliseconds(10_000, 'Milliseconds for resolving and connecting, a proxy included.'),
  handshakeTimeoutMs: milliseconds(10_000, 'Milliseconds for the TLS handshake.'),
  poolTimeoutMs: milliseconds(30_000, 'Milliseconds that a request waits for one of the connections there may be.'),
  responseTimeoutMs: milliseconds(
    60_000,
    'Milliseconds from the end of the request to the head of its response. `requests` waits for ever, undici 300 s, httpx 5 s.',
  ),
  bodyTimeoutMs: milliseconds(
    60_000,
    'Milliseconds without a byte while a body is sent or received. Those in which this side does not read are not counted.',
  ),
  timeoutMs: milliseconds(
    600_000,
    'Milliseconds for all of it: redirects, retries and reading the body. `download` and `upload` have none.',
  ),
}

export interface BodySettings {
  readonly maxBodyBytes: number
  readonly highWaterBytes: number
}

export const BODY_SPECS: OptionSpecs<BodySettings> = {
  maxBodyBytes: byteCount(
    64 * 1024 * 1024,
    'The longest body that `text`, `json` and `bytes` hold in memory, decoded. What is streamed or saved has no bound.',
  ),
  highWaterBytes: byteCount(
    256 * 1024,
    'Bytes of a body that are held until somebody reads them; the server waits behind that.',
  ),
}
