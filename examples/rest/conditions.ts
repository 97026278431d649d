import { evaluatePreconditions, formatEntityTag } from 'moorage/engine/http'
import { HttpError, HttpResponse, type HttpRequest } from 'moorage/http'
import type { Entry } from './store.js'

export const tagOf = ({ version }: Entry): string => formatEntityTag({ value: version, weak: false })

const SAY_WHICH = 'Say which version you mean: If-Match with its entity tag, or If-None-Match: * for a new one'

/**
 * What a request says of the version that it means (RFC 9110 §13). One that changes something must say it (RFC 6585 §3):
 * then nobody overwrites what he has not seen.
 * @returns 304 where the client has what it would get.
 * @throws HttpError 412, 428.
 */
export function checkConditions({ method, headers }: HttpRequest, entry: Entry | undefined): HttpResponse | undefined {
  const isRead = method === 'GET' || method === 'HEAD'
  if (!isRead && !headers.has('if-match') && !headers.has('if-none-match')) throw new HttpError(428, SAY_WHICH)
  const etag = entry && { value: entry.version, weak: false }
  switch (evaluatePreconditions(method, headers, { exists: entry !== undefined, etag }, Date.now())) {
    case 'not-modified':
      return new HttpResponse(null, { status: 304, headers: entry === undefined ? {} : { ETag: tagOf(entry) } })
    case 'failed':
      throw changed(entry)
    case 'proceed':
      return undefined
  }
}

export function changed(entry: Entry | undefined): HttpError {
  const message = entry === undefined ? 'There is no such note' : 'The note is not the version that you mean'
  return new HttpError(412, message, entry === undefined ? {} : { headers: { ETag: tagOf(entry) } })
}
