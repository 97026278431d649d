import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { messageOf, UsageError } from '../../base/index.js'
import { filePart, type BodyInit } from '../../client/index.js'
import type { CurlLine } from './curl-line.js'
import { CurlFailure } from './exit-codes.js'
import type { GivenContent } from './given-content.js'

/** What a request of the command line has to send, and by which method it does where none is given. */
export interface CurlBody {
  readonly kind: 'none' | 'data' | 'form' | 'upload'
  readonly method: string
  readonly body: BodyInit | undefined
  readonly length: number | 'chunked'
  /** `undefined` for what says nothing of it. */
  readonly contentType: string | undefined
  /** Whether it can be sent again: behind a redirect, with credentials. */
  readonly isReplayable: boolean
  /** Of Content-Range: which part of a file is sent. */
  readonly range?: string
}

export const NO_BODY: CurlBody = {
  kind: 'none',
  method: 'GET',
  body: undefined,
  length: 0,
  contentType: undefined,
  isReplayable: true,
}

/** What --get has put into the query instead. */
export interface CurlContent {
  readonly body: CurlBody
  readonly query: string | undefined
}

/**
 * @throws UsageError `ERR_OPTION_VALUE` for two bodies; CurlFailure 26 for a file that cannot be read, 18 where nothing of it
 * is left to send.
 */
export async function contentOf(
  line: CurlLine,
  { data, form }: GivenContent,
  upload: string | undefined,
): Promise<CurlContent> {
  const given = [data, form, upload].filter((each) => each !== undefined).length
  const wants = line.has('head') && !line.has('get') ? given + 1 : given
  if (wants > 1)
    throw new UsageError(
      'ERR_OPTION_VALUE',
      'Cannot send two bodies: give one of --data, --form, --upload-file and --head',
    )
  if (line.has('get'))
    return { body: NO_BODY, query: data === undefined ? undefined : Buffer.from(data.bytes).toString() }
  if (form !== undefined)
    return { query: undefined, body: { kind: 'form', method: 'POST', isReplayable: true, ...form } }
  if (upload !== undefined) return { query: undefined, body: await uploadOf(line, upload) }
  if (data === undefined) return { query: undefined, body: NO_BODY }
  const { bytes, isJson } = data
  const contentType = isJson ? undefined : 'application/x-www-form-urlencoded'
  return {
    query: undefined,
    body: { kind: 'data', method: 'POST', body: bytes, length: bytes.length, contentType, isReplayable: true },
  }
}

async function uploadOf(line: CurlLine, path: string): Promise<CurlBody> {
  const rest = { kind: 'upload', method: 'PUT', contentType: undefined } as const
  const from = line.text('continue-at')
  if (from !== undefined && (path === '-' || path === '.'))
    throw new UsageError('ERR_OPTION_VALUE', 'Cannot use --continue-at with -T -: how long stdin is is not known')
  if (path === '-' || path === '.') return { ...rest, body: process.stdin, length: 'chunked', isReplayable: false }
  try {
    const facts = await stat(path)
    if (facts.isDirectory()) throw new CurlFailure('read', `Cannot send ${JSON.stringify(path)}: it is a folder`)
    if (from !== undefined && facts.isFile())
      return partOf(rest, path, from === '-' ? 0 : (line.number('continue-at') ?? 0), facts.size)
    const length = facts.isFile() ? facts.size : 'chunked'
    return { ...rest, body: filePart(path), length, isReplayable: facts.isFile() }
  } catch (cause) {
    if (cause instanceof CurlFailure) throw cause
    throw new CurlFailure('read', `Cannot send ${JSON.stringify(path)}: ${messageOf(cause)}`, cause)
  }
}

/** What stands behind so many bytes of a file; how much of it a server has is not known without. */
function partOf(
  rest: Pick<CurlBody, 'kind' | 'method' | 'contentType'>,
  path: string,
  from: number,
  size: number,
): CurlBody {
  if (from > 0 && from >= size)
    throw new CurlFailure(
      'partial',
      `Cannot go on behind ${from} bytes: ${JSON.stringify(path)} has ${size}, all are sent`,
    )
  const length = size - from
  const body: BodyInit = {
    contentType: undefined,
    length,
    bytes: undefined,
    isReplayable: true,
    open: () => createReadStream(path, { start: from, end: Math.max(0, size - 1) }),
  }
  return { ...rest, body, length, isReplayable: true, range: `bytes ${from}-${size - 1}/${size}` }
}
