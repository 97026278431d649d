import type { UsageError } from '../../base/errors.js'
import { fieldProblems } from './field-rules.js'
import { problem } from './problem.js'

/** The statuses that mean nothing without a field. */
const NEEDED: ReadonlyMap<number, readonly [name: string, section: string]> = new Map([
  [301, ['location', 'RFC 9110 §15.4.2']],
  [302, ['location', 'RFC 9110 §15.4.3']],
  [303, ['location', 'RFC 9110 §15.4.4']],
  [307, ['location', 'RFC 9110 §15.4.8']],
  [308, ['location', 'RFC 9110 §15.4.9']],
  [401, ['www-authenticate', 'RFC 9110 §15.5.2']],
  [405, ['allow', 'RFC 9110 §15.5.6']],
  [407, ['proxy-authenticate', 'RFC 9110 §15.5.8']],
])

/** What is wrong with a response, before its body is read. */
export function* responseProblems(request: Request, response: Response): Generator<UsageError, void, undefined> {
  const { status, headers } = response
  if (response.type === 'error' || status === 0) {
    yield wrong('response-error', 'Cannot send Response.error(): it is no answer, and has no status', 'Fetch §5.5')
    return
  }
  if (response.bodyUsed || response.body?.locked === true)
    yield wrong('response-body-used', 'Cannot send a response whose body is read already', 'Fetch §5.3')
  yield* fieldProblems(headers)
  yield* statusProblems(request, status, headers)
  yield* bodyProblems(request.method, response)
}

function* statusProblems(request: Request, status: number, headers: Headers): Generator<UsageError, void, undefined> {
  const [name, section] = NEEDED.get(status) ?? []
  if (name !== undefined && section !== undefined && !headers.has(name))
    yield lacks(`needs-${name}`, `Cannot answer with ${status} without ${name}`, section)
  if (status === 206) yield* partProblems(request, headers)
  const isConditional = request.headers.has('if-none-match') || request.headers.has('if-modified-since')
  if (status === 304 && !(isConditional && isRead(request.method)))
    yield wrong('unasked-304', 'Cannot answer with 304: the request has no condition for it', 'RFC 9110 §15.4.5')
}

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD'

function* partProblems(request: Request, headers: Headers): Generator<UsageError, void, undefined> {
  if (!request.headers.has('range'))
    yield wrong('unasked-206', 'Cannot answer with 206: the request asks for no range', 'RFC 9110 §15.3.7')
  const isMultipart = headers.get('content-type')?.startsWith('multipart/byteranges') === true
  if (isMultipart === headers.has('content-range')) {
    const message = isMultipart
      ? 'Cannot send content-range: with several ranges each part has its own'
      : 'Cannot answer with 206 without content-range'
    yield lacks('needs-content-range', message, 'RFC 9110 §15.3.7')
  }
}

function* bodyProblems(method: string, { status, headers, body }: Response): Generator<UsageError, void, undefined> {
  const hasNone = status === 204 || status === 205 || status === 304
  const length = headers.get('content-length')
  const type = headers.get('content-type')
  if (body !== null) {
    if (hasNone) yield badBody('status-body', `Cannot answer with ${status} and a body`, 'RFC 9110 §6.4.1')
    if (method === 'HEAD')
      yield badBody('head-body', 'Cannot answer HEAD with a body: give null, and the fields of GET', 'RFC 9110 §9.3.2')
    if (type === null && length !== '0')
      yield lacks('needs-content-type', 'Cannot send a body without content-type: clients would guess', 'RFC 9110 §8.3')
    return
  }
  if (type !== null && method !== 'HEAD')
    yield lacks('unneeded-content-type', 'Cannot send content-type: there is no body', 'RFC 9110 §8.3')
  if (length !== null && (status === 204 || (length !== '0' && method !== 'HEAD' && status !== 304)))
    yield badBody('length', `Cannot send content-length ${length}: there is no body`, 'RFC 9110 §8.6')
}

const wrong = (rule: string, message: string, section: string): UsageError =>
  problem('ERR_FETCH_RESPONSE', rule, message, section)

const lacks = (rule: string, message: string, section: string): UsageError =>
  problem('ERR_FETCH_FIELD', rule, message, section)

const badBody = (rule: string, message: string, section: string): UsageError =>
  problem('ERR_FETCH_BODY', rule, message, section)
