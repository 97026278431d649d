import type { UsageError } from '../../base/errors.js'
import { problem, shown } from './problem.js'

const METHODS = /^(?:delete|get|head|options|patch|post|put)$/i

/** What the caller of a fetch handler did wrong. */
export function* requestProblems(request: Request): Generator<UsageError, void, undefined> {
  yield* addressProblems(new URL(request.url))
  const { method } = request
  if (METHODS.test(method) && method !== method.toUpperCase())
    yield wrong('method-case', `Cannot ask by ${shown(method)}: methods are compared with their case`, 'RFC 9110 §9.1')
  if ((method === 'GET' || method === 'HEAD') && request.body !== null)
    yield wrong('request-body', `Cannot ask by ${method} with a body: it has no meaning there`, 'Fetch §5.4')
  if (request.bodyUsed || request.body?.locked === true)
    yield wrong('request-body-used', 'Cannot hand over a request whose body is read already', 'Fetch §5.3')
  const length = request.headers.get('content-length')
  if (length !== null && !/^\d+$/.test(length))
    yield wrong('request-length', `Cannot read the length ${shown(length)} of a request: not digits`, 'RFC 9110 §8.6')
}

function* addressProblems({ protocol, hash }: URL): Generator<UsageError, void, undefined> {
  if (protocol !== 'http:' && protocol !== 'https:')
    yield wrong('url-scheme', `Cannot ask for a ${protocol} address: expected http: or https:`, 'RFC 9110 §4.2')
  if (hash !== '')
    yield wrong('url-fragment', `Cannot ask for the fragment ${shown(hash)}: clients do not send it`, 'RFC 9110 §7.1')
}

const wrong = (rule: string, message: string, section: string): UsageError =>
  problem('ERR_FETCH_REQUEST', rule, message, section)
