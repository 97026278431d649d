import { concatBytes } from '../../base/bytes.js'
import { errorCodeOf, LimitError, messageOf, MoorageError } from '../../base/errors.js'
import { decodeText } from '../charset.js'
import { explain, lowerFirst } from '../errors.js'
import type { ClientResponse } from '../response.js'
import { Session } from '../session.js'
import type { Finding, HttpFacts } from './steps.js'
import type { Trail } from './trail.js'

/** RFC 9110: the request itself, as a session sends it, over the redirects. A status from 400 up is a failure. */
export async function ask(trail: Trail, session: Session, url: string): Promise<Finding<'http'>> {
  trail.reached = 'response'
  const { settings, signal } = trail
  const response = await session.request(settings.method ?? 'GET', url, { signal, timeoutMs: trail.leftMs })
  trail.response = response
  const facts = factsOf(response)
  const { status, reason, redirects, elapsed } = facts
  const answered = `${status} ${reason}`.trimEnd()
  const many = redirects.length === 1 ? '1 redirect' : `${redirects.length} redirects`
  const over = redirects.length === 0 ? '' : `, over ${many}, at ${response.url}`
  try {
    response.raiseForStatus()
  } catch (error) {
    response.discard()
    const who = response.isRefusedByProxy ? 'the proxy refused it: it answered' : 'the server answered'
    return { summary: `${who} ${answered}${over}`, facts, error }
  }
  return { summary: `${answered} in ${elapsed.firstByteMs.toFixed(1)} ms${over}`, facts }
}

/** A session of this diagnosis alone: one try, and nothing that an earlier request left. */
export function sessionOf({ settings }: Trail): Session {
  const {
    signal: _signal,
    method: _method,
    websocket: _websocket,
    maxAddresses: _most,
    maxReadBytes: _read,
    ...own
  } = settings
  return new Session({ ...own, retries: 0, maxConnectionsPerOrigin: 1 })
}

function factsOf(response: ClientResponse): HttpFacts {
  const { method, url, status, reason, httpVersion, headers, history, elapsed } = response
  const field = (name: string): string | undefined => printable(headers.get(name))
  return {
    method,
    url,
    status,
    reason: printable(reason) ?? '',
    httpVersion,
    server: field('server'),
    contentType: field('content-type'),
    contentLength: field('content-length'),
    contentEncoding: field('content-encoding'),
    via: field('via'),
    redirects: history.map((earlier) => ({ status: earlier.status, url: earlier.url })),
    elapsed,
  }
}

/** What a server says goes to terminals. */
const printable = (text: string | undefined): string | undefined =>
  text?.replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, '?').slice(0, 200)

/** Longer ones are not parsed. */
const MAX_JSON_BYTES = 1024 * 1024

/** The body, decoded, up to `maxReadBytes` as they are sent; JSON is parsed. */
export async function readBody(trail: Trail): Promise<Finding<'body'>> {
  const { response, settings } = trail
  if (response === undefined) return { outcome: 'skipped', summary: 'there is no response', facts: {} }
  trail.reached = 'body'
  const { maxReadBytes, maxBodyBytes } = settings
  const type = response.headers.get('content-type')
  const isJson = response.method !== 'HEAD' && /^application\/(?:[\w.-]+\+)?json\b/i.test(type ?? '')
  const held: Uint8Array[] = []
  let decodedBytes = 0
  const facts = (isWhole: boolean): { receivedBytes: number; decodedBytes: number; isWhole: boolean } => ({
    receivedBytes: response.receivedBytes,
    decodedBytes,
    isWhole,
  })
  try {
    for await (const bytes of response) {
      decodedBytes += bytes.length
      if (decodedBytes > maxBodyBytes) throw tooLong(response, decodedBytes, maxBodyBytes)
      if (isJson && decodedBytes <= MAX_JSON_BYTES) held.push(bytes)
      if (response.receivedBytes >= maxReadBytes && !response.incoming.body.isOver)
        return { summary: `the first ${response.receivedBytes} bytes are as they should be`, facts: facts(false) }
    }
  } catch (error) {
    response.discard()
    return { summary: troubleOf(error, response.receivedBytes), facts: facts(false), error }
  }
  if (isJson && decodedBytes <= MAX_JSON_BYTES) {
    try {
      response.parseJson(decodeText(concatBytes(held), type))
    } catch (error) {
      return { summary: `${response.receivedBytes} bytes came whole, and are no JSON`, facts: facts(true), error }
    }
  }
  const expanded = decodedBytes === response.receivedBytes ? '' : `, ${decodedBytes} when they are decoded`
  return { summary: `${response.receivedBytes} bytes${expanded}`, facts: facts(true) }
}

/** In words: what came whole and cannot be decoded did not break off. */
function troubleOf(error: unknown, receivedBytes: number): string {
  const found = error instanceof MoorageError && error.cause instanceof MoorageError ? error.cause : error
  switch (errorCodeOf(error)) {
    case 'ERR_UNEXPECTED_END':
      return `it broke off behind ${receivedBytes} bytes`
    case 'ERR_BODY_TIMEOUT':
      return `it stopped behind ${receivedBytes} bytes`
    default:
      return `${lowerFirst(messageOf(found))}; ${receivedBytes} bytes had come`
  }
}

/** As `bytes` refuses it. */
function tooLong({ receivedBytes, headers, incoming }: ClientResponse, decoded: number, limit: number): unknown {
  const isCoded = headers.has('content-encoding') && decoded !== receivedBytes
  const code = isCoded ? 'ERR_CONTENT_LIMIT' : 'ERR_BODY_LIMIT'
  const message = `The body has more than ${limit} bytes${isCoded ? ' when it is decoded' : ''}`
  return explain(new LimitError(code, message, { details: { limit } }), incoming.asked.facts())
}
