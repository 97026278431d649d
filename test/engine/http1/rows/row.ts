import type { Http1Options } from '#src/engine/http1/options.js'
import type { SeenRequest } from '../_requests.js'

interface Row {
  /** A sentence part: what is special about these bytes. */
  readonly name: string
  /** Of the standard: what decides. */
  readonly section: string
  /** Published flaws of other parsers that such bytes were used for. */
  readonly advisory?: string
  /** Each character is a byte. */
  readonly bytes: string
  readonly options?: Http1Options
  /** Whether the client ends behind the bytes. Default: false. */
  readonly eof?: boolean
}

export interface ReadRow extends Row {
  /** What differs from `GET / HTTP/1.1` with `Host: a` alone, for each request. */
  readonly requests: readonly Partial<SeenRequest>[]
  /** Default: `need-data`. */
  readonly ending?: string
}

export interface RefusedRow extends Row {
  /** The code, and the status of the answer. */
  readonly refused: string
  /** Requests before it that are whole. Default: 0. */
  readonly before?: number
}

/** Bytes by what is special about them, with the advisory where there is one. */
export type Special = Readonly<Record<string, string | readonly [bytes: string, advisory: string]>>

/** Rows that the same sentence of the standard refuses. */
export function refusals(
  refused: string,
  section: string,
  special: Special,
  more: Partial<RefusedRow> = {},
): RefusedRow[] {
  return Object.entries(special).map(([name, value]) => {
    const [bytes, advisory] = typeof value === 'string' ? [value] : value
    return { name, section, bytes, refused, ...(advisory === undefined ? {} : { advisory }), ...more }
  })
}

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n'
export const POST = 'POST / HTTP/1.1\r\nHost: a\r\n'
export const HOST: readonly [string, string] = ['Host', 'a']
export const CHUNKED: readonly [string, string] = ['Transfer-Encoding', 'chunked']
/** The head of a request whose body is chunked. */
export const CHUNKS: string = `${POST}Transfer-Encoding: chunked\r\n\r\n`
