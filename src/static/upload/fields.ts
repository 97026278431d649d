import { tryParseList } from '../../engine/http/list.js'
import { HttpError } from '../../http/response.js'
import type { UploadSettings } from './options.js'

/** RFC 9651 §3.3.1, of those that are no less than 0. */
const INTEGER = /^\d{1,15}$/

/** Upload-Offset and Upload-Length; `undefined` for what is no such number, which counts as not sent. */
export const readInteger = (value: string | undefined): number | undefined =>
  value !== undefined && INTEGER.test(value) ? Number(value) : undefined

/** Upload-Complete: RFC 9651 §3.3.6. */
export const readBoolean = (value: string | undefined): boolean | undefined =>
  value === '?1' ? true : value === '?0' ? false : undefined

/** Upload-Limit of the draft. */
export function formatLimits({ maxFileBytes, partialAgeMs }: UploadSettings): string {
  const limits: string[] = []
  if (maxFileBytes !== Infinity) limits.push(`max-size=${maxFileBytes}`)
  if (partialAgeMs !== Infinity) limits.push(`max-age=${Math.floor(partialAgeMs / 1000)}`)
  // A dictionary without members is no field: there is always one.
  return limits.length === 0 ? 'min-size=0' : limits.join(', ')
}

export interface Digest {
  readonly algorithm: 'sha256' | 'sha512'
  readonly value: Buffer
}

const DIGESTS = new Map<string, { readonly algorithm: Digest['algorithm']; readonly bytes: number }>([
  ['sha-256', { algorithm: 'sha256', bytes: 32 }],
  ['sha-512', { algorithm: 'sha512', bytes: 64 }],
])

/**
 * RFC 9530 §3: the digests of the whole file that a client gives, the two algorithms of §5 that are secure. Others are
 * passed over, as that section has it.
 * @throws HttpError 400 for a malformed one: to pass it over would look as if it had been checked.
 */
export function parseReprDigest(value: string | undefined): readonly Digest[] {
  if (value === undefined) return []
  const digests: Digest[] = []
  const members = tryParseList(value)
  for (const member of members ?? ['']) {
    const [, key, encoded = ''] = /^([a-z*][a-z\d_.*-]*)=:([A-Za-z\d+/]*={0,2}):$/.exec(member) ?? []
    if (key === undefined) throw new HttpError(400, 'The field Repr-Digest is malformed')
    const known = DIGESTS.get(key)
    if (known === undefined) continue
    const bytes = Buffer.from(encoded, 'base64')
    if (bytes.length !== known.bytes) throw new HttpError(400, `The field Repr-Digest has no ${key}`)
    digests.push({ algorithm: known.algorithm, value: bytes })
  }
  return digests
}
