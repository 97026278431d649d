import { byteCount, milliseconds, type OptionSpecs } from '../base/options.js'
import { HTTP1_OPTIONS, type Http1Settings } from '../engine/http1/options.js'

export interface HttpSettings extends Http1Settings {
  readonly headerTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly bodyHighWaterBytes: number
}
export type HttpOptions = Partial<HttpSettings>

export const HTTP_OPTIONS: OptionSpecs<HttpSettings> = {
  ...HTTP1_OPTIONS,
  maxBodyBytes: byteCount(
    16 * 1024 * 1024,
    'The longest body of a request; a longer one is answered with 413. nginx and Fastify stop at 1 MiB, Go nowhere.',
  ),
  headerTimeoutMs: milliseconds(
    10_000,
    'Milliseconds for the head of a request, from its first byte, or from the connection to the first. Node allows 60 s, nginx 60 s, Apache 20 s.',
  ),
  keepAliveTimeoutMs: milliseconds(
    75_000,
    'Milliseconds that a connection may wait for its next request. nginx waits 75 s, Node 5 s, which is shorter than what proxies in front of it expect.',
  ),
  bodyHighWaterBytes: byteCount(
    256 * 1024,
    'Bytes of a body that are held for a handler that does not read them yet; then the client waits.',
  ),
}
