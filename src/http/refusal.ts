import type { Address } from '../transport/address.js'

/** The first line of a request, as far as it could be read. */
export interface RequestLine {
  readonly method: string
  readonly target: string
  /** `1.1` or `1.0`. */
  readonly version: string
}

/** What was answered to what is no request, or none that a handler sees: malformed, too long, too slow. */
export interface Refusal {
  readonly remote: Address
  readonly status: number
  /** Of the body of the answer, where it is known. */
  readonly bytes: number | undefined
  /** `undefined` where that was not to be read either. */
  readonly line: RequestLine | undefined
}

/** Longer lines are not looked through. */
const MAX_LINE_BYTES = 8192
const LINE = /^([^\s]+) ([^\s]+) HTTP\/(1\.[01])\r?\n/

/** The line that bytes begin with; nothing of it is believed, it is only shown. */
export function readRequestLine(bytes: Uint8Array | undefined): RequestLine | undefined {
  if (bytes === undefined) return undefined
  const begin = Buffer.prototype.latin1Slice.call(bytes, 0, Math.min(bytes.length, MAX_LINE_BYTES))
  const [, method, target, version] = LINE.exec(begin) ?? []
  return method === undefined || target === undefined || version === undefined ? undefined : { method, target, version }
}
