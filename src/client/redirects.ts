import { inTheirWords } from './option-words.js'
import { isCredential } from './auth.js'
import { detailsOf, RedirectError } from './errors.js'
import type { ClientResponse } from './response.js'
import type { ResponseHead } from '../engine/http1/message-head.js'

/** RFC 9110 §15.4: where a response leads, and by which method. */
export interface Redirect {
  /** As it stands in `Location`: perhaps only a path. */
  readonly location: string
  readonly method: string
  /** False where the next request is a GET of its own. */
  readonly keepsBody: boolean
}

/** `undefined` for a response that leads nowhere. */
export function redirectOf(
  { status, fields }: Pick<ResponseHead, 'status' | 'fields'>,
  method: string,
): Redirect | undefined {
  if (status !== 301 && status !== 302 && status !== 303 && status !== 307 && status !== 308) return undefined
  const location = fields.get('location')
  if (location === undefined || location === '') return undefined
  // 301 and 302 turn a POST into a GET, as all browsers do (§15.4.2); 303 turns everything but HEAD.
  const becomesGet = status === 303 ? method !== 'HEAD' && method !== 'GET' : status < 303 && method === 'POST'
  return { location: fromBytes(location), method: becomesGet ? 'GET' : method, keepsBody: !becomesGet }
}

/** Servers send UTF-8 here that should have been encoded: a URL parser then encodes it as browsers do. */
function fromBytes(location: string): string {
  if (!/[\x80-\xff]/.test(location)) return location
  const text = Buffer.from(location, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? location : text
}

/** What describes a body that is not sent again. */
const OF_BODY = new Set(['content-type', 'content-encoding', 'content-language', 'content-location', 'content-length'])

/** Another origin is not told who asks. */
export function fieldsBehind(
  fields: readonly (readonly [name: string, value: string])[],
  { isSameOrigin, keepsBody }: { readonly isSameOrigin: boolean; readonly keepsBody: boolean },
): readonly (readonly [name: string, value: string])[] {
  if (isSameOrigin && keepsBody) return fields
  return fields.filter(([name]) => {
    const key = name.toLowerCase()
    return (isSameOrigin || !isCredential(name)) && (keepsBody || !OF_BODY.has(key))
  })
}

/** @returns the error of a redirect that cannot be followed. */
export function wrongRedirect(
  { method, url, status, incoming }: ClientResponse,
  history: readonly ClientResponse[],
  why: string,
  suggestion: string,
  cause?: unknown,
): RedirectError {
  const urls = [...history.map((response) => response.url), url]
  return new RedirectError('ERR_REDIRECT', `Cannot follow the ${status} of ${method} ${url}: ${why}; ${suggestion}`, {
    cause,
    details: { ...detailsOf(incoming.asked.facts(), 'redirect', suggestion), status, history: urls },
  })
}

/** Who has been here before goes in a circle, unless a cookie or the time ends it. */
export const adviseOnMany = ({ url }: ClientResponse, history: readonly ClientResponse[]): string =>
  history.some((earlier) => earlier.url === url)
    ? 'it goes in a circle: look at the rules of the server, and whether it wants a cookie'
    : inTheirWords('raise {maxRedirects} where there are so many')
