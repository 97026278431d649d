import type { AbortSignalLike } from '../../base/cancellation.js'
import { byteCount, count, flag, milliseconds, text, value, type OptionSpecs } from '../../base/options.js'
import { SESSION_OPTIONS, type SessionSettings } from '../session-options.js'

/** Those of a session that say how it reaches a server. */
const SHARED = [
  'tls',
  'proxy',
  'lookup',
  'network',
  'auth',
  'headers',
  'userAgent',
  'followRedirects',
  'maxRedirects',
  'decompress',
  'maxBodyBytes',
  'connectTimeoutMs',
  'handshakeTimeoutMs',
  'responseTimeoutMs',
  'bodyTimeoutMs',
] as const

type Shared = Pick<SessionSettings, (typeof SHARED)[number]>

interface Own {
  readonly signal: AbortSignalLike | undefined
  readonly method: string | undefined
  readonly websocket: boolean
  readonly timeoutMs: number
  readonly maxAddresses: number
  readonly maxReadBytes: number
}

export interface DiagnoseSettings extends Shared, Own {}

export type DiagnoseOptions = { readonly [K in keyof DiagnoseSettings]?: DiagnoseSettings[K] | undefined }

const {
  tls,
  proxy,
  lookup,
  network,
  auth,
  headers,
  userAgent,
  followRedirects,
  maxRedirects,
  decompress,
  maxBodyBytes,
  connectTimeoutMs,
  handshakeTimeoutMs,
  responseTimeoutMs,
  bodyTimeoutMs,
} = SESSION_OPTIONS

export const DIAGNOSE_OPTIONS: OptionSpecs<DiagnoseSettings> = {
  tls,
  proxy,
  lookup,
  network,
  auth,
  headers,
  userAgent,
  followRedirects,
  maxRedirects,
  decompress,
  maxBodyBytes,
  connectTimeoutMs,
  handshakeTimeoutMs,
  responseTimeoutMs,
  bodyTimeoutMs,
  timeoutMs: milliseconds(60_000, 'Milliseconds for all steps together.'),
  signal: value<AbortSignalLike | undefined>(
    'an AbortSignal',
    undefined,
    'none',
    'Ends the diagnosis; it throws the reason of the signal.',
    (given): given is AbortSignalLike => typeof given === 'object' && given !== null && 'aborted' in given,
  ),
  method: text('GET', 'The method of the request that is sent; it has no body.'),
  websocket: flag(false, 'Also opens a WebSocket at an `http:` or `https:` URL; at `ws:` and `wss:` it always does.'),
  maxAddresses: count(8, 'Addresses of a name that are tried, all at once. A name has two, as a rule.'),
  maxReadBytes: byteCount(
    1024 * 1024,
    'Bytes of the body that are read, as they are sent; what comes behind is not looked at.',
  ),
}
