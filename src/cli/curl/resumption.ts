import { statSync } from 'node:fs'
import { errorCodeOf, messageOf } from '../../base/index.js'
import type { ClientResponse } from '../../client/index.js'
import type { CurlLine } from './curl-line.js'
import { CurlFailure } from './exit-codes.js'
import type { CurlBody } from './request-body.js'

/** --continue-at: behind so many bytes, or behind those of the file. */
export function offsetOf(line: CurlLine, path: string | undefined): number {
  const given = line.text('continue-at')
  if (given === undefined) return 0
  if (given !== '-') return line.number('continue-at') ?? 0
  if (path === undefined) return 0
  try {
    return statSync(path).size
  } catch (cause) {
    if (errorCodeOf(cause) === 'ENOENT') return 0
    throw new CurlFailure('read', `Cannot read ${JSON.stringify(path)}: ${messageOf(cause)}`, cause)
  }
}

/** RFC 9110 §14.2 of what is wanted, §14.4 of what is sent: what --continue-at or --range say. */
export function rangeOf(
  line: CurlLine,
  { kind, length, range }: CurlBody,
  from: number,
): readonly [name: string, value: string] | undefined {
  if (range !== undefined) return ['Content-Range', range]
  const given = line.text('range')
  if (from > 0 && kind === 'data')
    throw new CurlFailure('read', `Cannot go on behind ${from} bytes: --data is sent whole`)
  if (kind === 'none' && from > 0) return ['Range', `bytes=${from}-`]
  if (given === undefined || from > 0) return undefined
  if (kind === 'none') return ['Range', `bytes=${/^\d+$/.test(given) ? `${given}-` : given}`]
  return ['Content-Range', `bytes ${given}/${length === 'chunked' ? '*' : length}`]
}

/** What is done with the body of a response that was to go on behind so many bytes. */
export type Continuation = 'append' | 'done' | 'refuse'

/**
 * RFC 9110 §15.3.7: only what says that it begins there goes behind what there is. A page of an error, or of a redirect, is
 * none of it, nor is a part from elsewhere. All is there where a range lies behind the end, or where the whole has that size.
 */
export function continuationOf({ status, headers }: ClientResponse, from: number): Continuation {
  if (status === 416) return 'done'
  const [, begin] = /^bytes\s+(\d+)-/i.exec(headers.get('content-range') ?? '') ?? []
  if (begin !== undefined && Number(begin) === from && status >= 200 && status < 300) return 'append'
  return status === 200 && headers.get('content-length') === String(from) ? 'done' : 'refuse'
}
