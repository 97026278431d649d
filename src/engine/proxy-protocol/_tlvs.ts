import { concatBytes } from '../../base/bytes.js'
import type { ProxyHeader, ProxyTls, ProxyTlv } from './header.js'
import { refuse, refuseArgument } from './_refuse.js'
import { tryFromUtf8, tryToUtf8 } from '../utf8.js'

/** Specification 2.2.1 to 2.2.8. */
export const TLV = {
  alpn: 0x01,
  authority: 0x02,
  checksum: 0x03,
  noop: 0x04,
  uniqueId: 0x05,
  tls: 0x20,
  namespace: 0x30,
} as const

const TLS_TEXTS = [
  ['version', 0x21],
  ['commonName', 0x22],
  ['cipher', 0x23],
  ['signatureAlgorithm', 0x24],
  ['keyAlgorithm', 0x25],
  ['group', 0x26],
  ['signatureScheme', 0x27],
] as const satisfies readonly (readonly [keyof ProxyTls, number])[]
const TLS_CLIENT_CERTIFICATE = 0x28

const CLIENT_TLS = 0x01
const CLIENT_CERTIFICATE_CONNECTION = 0x02
const CLIENT_CERTIFICATE_SESSION = 0x04
const MAX_UNIQUE_ID_BYTES = 128
const MAX_TLV_BYTES = 65_535

interface Found extends ProxyTlv {
  /** Where the value stands in the header. */
  readonly at: number
}

type TlvFields = Pick<ProxyHeader, 'alpn' | 'authority' | 'uniqueId' | 'tls' | 'namespace' | 'checksum' | 'tlvs'>
export interface ReadTlvs {
  readonly fields: TlvFields
  /** Where the four bytes of the checksum stand, if it has one. */
  readonly checksumAt: number | undefined
}

/**
 * Reads the TLVs from `from` to the end of the header. Each that has a field of its own may stand once: of two
 * authorities, one would be believed by this reader and the other by the next.
 */
export function readTlvs(header: Uint8Array, from: number): ReadTlvs {
  const named = new Map<number, Found>()
  const tlvs: ProxyTlv[] = []
  for (const found of split(header, from, header.length)) {
    if (found.type === TLV.noop) continue
    if (!NAMED.has(found.type)) tlvs.push({ type: found.type, value: found.value.slice() })
    else if (named.has(found.type)) refuse(`a second TLV of type ${found.type}`, header, found.at)
    else named.set(found.type, found)
  }
  const text = (type: number): string | undefined => textOf(named.get(type), header)
  const checksum = named.get(TLV.checksum)
  if (checksum !== undefined && checksum.value.length !== 4) refuse('a checksum not of 4 bytes', header, checksum.at)
  const uniqueId = named.get(TLV.uniqueId)
  if (uniqueId !== undefined && uniqueId.value.length > MAX_UNIQUE_ID_BYTES) {
    refuse(`a unique id over ${MAX_UNIQUE_ID_BYTES} bytes`, header, uniqueId.at)
  }
  const tls = named.get(TLV.tls)
  const fields = {
    alpn: named.get(TLV.alpn)?.value.slice(),
    authority: text(TLV.authority),
    uniqueId: uniqueId?.value.slice(),
    tls: tls === undefined ? undefined : readTls(header, tls),
    namespace: text(TLV.namespace),
    checksum: checksum === undefined ? undefined : true,
    tlvs: tlvs.length === 0 ? undefined : tlvs,
  }
  return { fields: withoutUndefined(fields), checksumAt: checksum?.at }
}

const NAMED: ReadonlySet<number> = new Set<number>(Object.values(TLV))

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The fields that have a value: an absent one is not the same as one that is there and undefined. */
function withoutUndefined<T extends object>(fields: T): Present<T> {
  const present: Present<T> = { ...fields }
  for (const name in present) if (present[name] === undefined) delete present[name]
  return present
}

function split(header: Uint8Array, from: number, to: number): Found[] {
  const found: Found[] = []
  let at = from
  while (at < to) {
    const start = at + 3
    if (start > to) refuse('a TLV without room for its length', header, at)
    const end = start + (((header[at + 1] ?? 0) << 8) | (header[at + 2] ?? 0))
    if (end > to) refuse('a TLV that goes on after the end', header, at)
    found.push({ type: header[at] ?? 0, at: start, value: header.subarray(start, end) })
    at = end
  }
  return found
}

function textOf(found: Found | undefined, header: Uint8Array): string | undefined {
  if (found === undefined) return undefined
  return tryFromUtf8(found.value) ?? refuse('a text that is not UTF-8', header, found.at)
}

/** Specification 2.2.6: a byte of flags, the result of verification in 4 bytes, then TLVs. */
function readTls(header: Uint8Array, { value, at }: Found): ProxyTls {
  if (value.length < 5) refuse('a TLS block under 5 bytes', header, at)
  const flags = value[0] ?? 0
  const parts = new Map<number, Found>()
  for (const part of split(header, at + 5, at + value.length)) {
    if (parts.has(part.type)) refuse(`a second TLS part of type ${part.type}`, header, part.at)
    parts.set(part.type, part)
  }
  const texts: { [K in (typeof TLS_TEXTS)[number][0]]?: string | undefined } = {}
  for (const [name, type] of TLS_TEXTS) texts[name] = textOf(parts.get(type), header)
  return {
    used: (flags & CLIENT_TLS) !== 0,
    certificate:
      (flags & CLIENT_CERTIFICATE_CONNECTION) !== 0
        ? 'connection'
        : (flags & CLIENT_CERTIFICATE_SESSION) !== 0
          ? 'session'
          : 'none',
    verified: value.subarray(1, 5).every((byte) => byte === 0),
    ...withoutUndefined(texts),
    ...withoutUndefined({ clientCertificate: parts.get(TLS_CLIENT_CERTIFICATE)?.value.slice() }),
  }
}

/** The TLVs of a header, the checksum last and zero. @throws UsageError `ERR_ARGUMENT` */
export function writeTlvs(header: ProxyHeader): Uint8Array {
  const { alpn, authority, uniqueId, tls, namespace, checksum, tlvs } = header
  if (uniqueId !== undefined && uniqueId.length > MAX_UNIQUE_ID_BYTES) {
    refuseArgument(`a unique id has at most ${MAX_UNIQUE_ID_BYTES} bytes`)
  }
  const parts: Uint8Array[] = []
  const put = (type: number, value: Uint8Array | undefined): void => {
    if (value !== undefined) parts.push(writeTlv(type, value))
  }
  put(TLV.alpn, alpn)
  put(TLV.authority, bytesOf(authority))
  put(TLV.uniqueId, uniqueId)
  put(TLV.tls, tls === undefined ? undefined : writeTls(tls))
  put(TLV.namespace, bytesOf(namespace))
  for (const { type, value } of tlvs ?? []) {
    if (!Number.isInteger(type) || type < 0 || type > 255) refuseArgument(`${type} is no TLV type`)
    if (NAMED.has(type)) refuseArgument(`TLV type ${type} has a field of its own`)
    put(type, value)
  }
  if (checksum === true) put(TLV.checksum, new Uint8Array(4))
  return concatBytes(parts)
}

function bytesOf(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined
  return tryToUtf8(text) ?? refuseArgument('a text has half a surrogate pair')
}

function writeTls(tls: ProxyTls): Uint8Array {
  const certificate = { none: 0, connection: CLIENT_CERTIFICATE_CONNECTION, session: CLIENT_CERTIFICATE_SESSION }
  const flags = (tls.used ? CLIENT_TLS : 0) | certificate[tls.certificate]
  const parts: Uint8Array[] = [Uint8Array.of(flags, 0, 0, 0, tls.verified ? 0 : 1)]
  for (const [name, type] of TLS_TEXTS) {
    const bytes = bytesOf(tls[name])
    if (bytes !== undefined) parts.push(writeTlv(type, bytes))
  }
  if (tls.clientCertificate !== undefined) parts.push(writeTlv(TLS_CLIENT_CERTIFICATE, tls.clientCertificate))
  return concatBytes(parts)
}

function writeTlv(type: number, value: Uint8Array): Uint8Array {
  if (value.length > MAX_TLV_BYTES) refuseArgument(`a TLV of type ${type} has more than ${MAX_TLV_BYTES} bytes`)
  return concatBytes([Uint8Array.of(type, value.length >> 8, value.length & 0xff), value])
}
