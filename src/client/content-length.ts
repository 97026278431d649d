import type { FieldSource } from '../engine/http/fields.js'

/** RFC 9110 §8.6; `undefined` where it is not said, or nothing that is a length. */
export function tryContentLength(fields: FieldSource): number | undefined {
  const value = fields.get('content-length')
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}
