import { ProtocolError } from '../../base/errors.js'
import { tryFromBase64, toBase64 } from '../http/base64.js'
import { isToken, trimSpace } from '../http/characters.js'
import type { Fields } from '../http/fields.js'
import { tryParseList } from '../http/list.js'
import { tryParseExtensions } from './extensions.js'

/** RFC 6455 §4.2.2: what the key is hashed with. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const VERSION = '13'
const KEY_BYTES = 16
const MAX_PROTOCOLS = 32

/** The base64 of the SHA-1 of an ASCII text. */
export type Sha1Base64 = (text: string) => string

/** What is looked at of a request: its target is the handler's. */
export interface UpgradeRequest {
  readonly method: string
  /** `1.1`, say. */
  readonly version: string
  /** What the Upgrade field says, in lower case, where Connection names it. */
  readonly upgrade: string
  readonly headers: Fields
}

/** What a client asked for. */
export interface Opening {
  readonly key: string
  /** Subprotocols, those it likes best first. */
  readonly protocols: readonly string[]
  /** The value of `Sec-WebSocket-Extensions`; '' when there is none. */
  readonly extensions: string
}

/** RFC 6455 §4.2.2: what proves that the request was understood. */
export const acceptOf = (key: string, sha1: Sha1Base64): string => sha1(key + GUID)

/**
 * RFC 6455 §4.2.1: what a request asks for. @throws ProtocolError `ERR_WEBSOCKET_HANDSHAKE`, whose `details.status` is to be
 * answered: 405, 426 (with the version that is spoken, §4.4) or 400.
 */
export function readOpening({ method, version, upgrade, headers }: UpgradeRequest): Opening {
  if (method !== 'GET') throw refused(405, 'a WebSocket is opened with GET')
  if (version !== '1.1') throw refused(426, 'a WebSocket is opened by HTTP/1.1')
  if (!upgrade.split(',').some((name) => trimSpace(name) === 'websocket'))
    throw refused(426, 'this address speaks WebSocket: ask with Upgrade: websocket and Connection: Upgrade')
  const wanted = headers.getAll('sec-websocket-version')
  if (wanted.length !== 1 || wanted[0] !== VERSION) throw refused(426, `Sec-WebSocket-Version must be ${VERSION}, once`)
  const keys = headers.getAll('sec-websocket-key')
  const [key = ''] = keys
  if (keys.length !== 1 || tryFromBase64(key)?.length !== KEY_BYTES)
    throw refused(400, 'Sec-WebSocket-Key must be 16 bytes in base64, once')
  return { key, protocols: readProtocols(headers), extensions: readExtensions(headers) }
}

/** RFC 6455 §4.1: tokens, each once. */
function readProtocols(headers: Fields): readonly string[] {
  const value = headers.get('sec-websocket-protocol')
  if (value === undefined) return []
  const names = tryParseList(value, MAX_PROTOCOLS)
  if (names === undefined || names.length === 0 || !names.every(isToken) || new Set(names).size < names.length)
    throw refused(400, 'Sec-WebSocket-Protocol must be tokens, each once')
  return names
}

/** RFC 6455 §9.1: what is malformed ends the handshake, whether or not anything of it would be taken. */
function readExtensions(headers: Fields): string {
  const value = headers.get('sec-websocket-extensions') ?? ''
  if (value !== '' && tryParseExtensions(value) === undefined)
    throw refused(400, 'Sec-WebSocket-Extensions must be at most 16 names with their parameters')
  return value
}

const refused = (status: number, why: string): ProtocolError =>
  new ProtocolError('ERR_WEBSOCKET_HANDSHAKE', `Cannot open a WebSocket: ${why}`, {
    details: { status, section: 'RFC 6455 §4.2.1' },
  })

/** What a client asks with. */
export interface ClientOpening {
  /** 16 random bytes. */
  readonly nonce: Uint8Array
  readonly protocols: readonly string[]
  /** What `offerDeflate` made; '' for none. */
  readonly extensions: string
}

export const keyOf = (nonce: Uint8Array): string => toBase64(nonce)

/** RFC 6455 §4.1: the fields of the request, besides Host, Upgrade and Connection. */
export function* openingFields({ nonce, protocols, extensions }: ClientOpening): Generator<readonly [string, string]> {
  yield ['Sec-WebSocket-Key', keyOf(nonce)]
  yield ['Sec-WebSocket-Version', VERSION]
  if (protocols.length > 0) yield ['Sec-WebSocket-Protocol', protocols.join(', ')]
  if (extensions !== '') yield ['Sec-WebSocket-Extensions', extensions]
}

/** What the server has agreed to. */
export interface Opened {
  /** The subprotocol; '' for none. */
  readonly protocol: string
  /** The value of `Sec-WebSocket-Extensions`; `undefined` when there is none. */
  readonly extensions: string | undefined
}

/**
 * RFC 6455 §4.1: checks the answer, of which the status and the fields Upgrade and Connection were checked before.
 * @throws ProtocolError `ERR_WEBSOCKET_HANDSHAKE`.
 */
export function readOpened(headers: Fields, { nonce, protocols, extensions }: ClientOpening, sha1: Sha1Base64): Opened {
  const accepts = headers.getAll('sec-websocket-accept')
  if (accepts.length !== 1 || accepts[0] !== acceptOf(keyOf(nonce), sha1))
    throw failed('Sec-WebSocket-Accept does not belong to the key: a cache may have answered')
  const names = headers.getAll('sec-websocket-protocol')
  const [protocol = ''] = names
  if (names.length > 1 || (names.length === 1 && !protocols.includes(protocol)))
    throw failed(`the server chose the subprotocol ${JSON.stringify(protocol.slice(0, 64))}, which was not offered`)
  const agreed = headers.get('sec-websocket-extensions')
  if (agreed !== undefined && extensions === '') throw failed('the server agreed to an extension that was not offered')
  return { protocol, extensions: agreed }
}

const failed = (why: string): ProtocolError =>
  new ProtocolError('ERR_WEBSOCKET_HANDSHAKE', `Cannot open a WebSocket: ${why}`, {
    details: { section: 'RFC 6455 §4.1' },
  })
