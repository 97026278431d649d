import { byteCount, count, milliseconds, type OptionSpecs } from '../base/options.js'
import { HTTP1_OPTIONS, type Http1Settings } from '../engine/http1/options.js'

export interface HttpSettings extends Http1Settings {
  readonly headerTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly minBodyBytesPerSecond: number
  readonly writeTimeoutMs: number
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
    'Milliseconds for the head of a request, and for the first byte of the first. Node and nginx allow 60 s, Apache 20 s.',
  ),
  keepAliveTimeoutMs: milliseconds(
    75_000,
    'Milliseconds that a connection may wait for its next request. nginx waits 75 s, Node 5 s, which is shorter than what proxies in front of it expect.',
  ),
  bodyTimeoutMs: milliseconds(
    20_000,
    'Milliseconds for a body to begin being as fast as minBodyBytesPerSecond. Apache allows 20 s and then asks for 500 bytes each second.',
  ),
  minBodyBytesPerSecond: count(
    500,
    'The least rate of a body, over all of its time, while the handler reads it; slower clients are answered with 408. Apache asks for 500.',
  ),
  writeTimeoutMs: milliseconds(
    30_000,
    'Milliseconds in which a client that is sent an answer may take nothing of it; then it is cut. Whoever takes some of it, however slowly, gets all. nginx allows 60 s.',
  ),
  bodyHighWaterBytes: byteCount(
    256 * 1024,
    'Bytes of a body that are held for a handler that does not read them yet; then the client waits.',
  ),
}
