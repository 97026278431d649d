import { UsageError } from '../../base/errors.js'
import { isMadeOf, isToken, QUERY_BYTES, TARGET_BYTES } from '../http/characters.js'
import { encodeField, fieldPairs, type FieldInit } from '../http/fields.js'
import { authorityOf, isHost, targetForm } from '../http/target.js'

/** What a request begins with. */
export interface RequestStart {
  readonly method: string
  /** A path and a query; a whole URL for a proxy; host and port for CONNECT; `*` for OPTIONS. */
  readonly target: string
  /** What the Host field says: host, and port where it is not the usual one. '' where the target has none. */
  readonly host: string
  /** Without those that are made of what stands here: Host, Connection, and what frames the body. Default: none. */
  readonly fields?: FieldInit
  /** `'chunked'` when it is not known. Default: 0. */
  readonly bodyLength?: number | 'chunked'
  /** The body waits for the server's 100 (Continue). Default: false. */
  readonly expectsContinue?: boolean
  /** Fields behind the body of the response are looked at: says so (RFC 9110 §6.5.1). Default: false. */
  readonly wantsTrailers?: boolean
  /** What to go on with when the server agrees: `websocket`. Default: ''. */
  readonly upgrade?: string
  /** Ends the connection after the response. Default: false. */
  readonly close?: boolean
}

/** What is made of the other properties: from elsewhere, each would let two servers read two requests. */
const RESERVED: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'expect',
  'upgrade',
  'te',
])

/**
 * RFC 9112 §3, with Host first (RFC 9110 §7.2) and the fields that say how the body is framed (§6).
 * @throws UsageError `ERR_ARGUMENT` for whatever would make it another request than it was meant to be.
 */
export function encodeRequestHead(start: RequestStart): string {
  const { method, target, host, fields = [], upgrade = '', wantsTrailers = false, close = false } = start
  checkMethod(method)
  checkTarget(method, target, host)
  let lines = `${method} ${target} HTTP/1.1\r\n${encodeField('Host', host)}`
  for (const [name, value] of fieldPairs(fields)) {
    if (RESERVED.has(name.toLowerCase()))
      throw wrong(`the field ${name}: it is made of the other properties of the request`)
    lines += encodeField(name, value)
  }
  lines += lengthField(start)
  if (upgrade !== '') lines += encodeField('Upgrade', upgrade)
  if (wantsTrailers) lines += encodeField('TE', 'trailers')
  // What concerns this connection alone is named in Connection: a proxy does not pass it on (RFC 9110 §7.6.1, §10.1.4).
  const options = [
    ...(upgrade === '' ? [] : ['Upgrade']),
    ...(wantsTrailers ? ['TE'] : []),
    ...(close ? ['close'] : []),
  ]
  if (options.length > 0) lines += `Connection: ${options.join(', ')}\r\n`
  return `${lines}\r\n`
}

function checkMethod(method: string): void {
  if (!isToken(method)) throw wrong(`the method ${shown(method)}: it is no token`)
}

/** RFC 9112 §3.2, as strict as the server is that reads it. */
function checkTarget(method: string, target: string, host: string): void {
  if (!isHost(host)) throw wrong(`the host ${shown(host)}: expected a name or an address, and a port or none`)
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  if (!isMadeOf(path, TARGET_BYTES) || !isMadeOf(target.slice(path.length), QUERY_BYTES))
    throw wrong(`the target ${shown(target)}: encode what no URL may have, and leave out what stands behind #`)
  const form = targetForm(method, target)
  if (form === undefined) throw wrong(`the target ${shown(target)} with ${method}: expected a path or a URL`)
  const named = form === 'authority' ? target : form === 'absolute' ? authorityOf(target) : undefined
  if (named !== undefined && named.toLowerCase() !== host.toLowerCase())
    throw wrong(`the host ${shown(host)}: the target names another`)
}

/** RFC 9110 §8.6: 0 is only told with methods that usually have content. */
function lengthField({ method, bodyLength = 0, expectsContinue = false }: RequestStart): string {
  if (bodyLength === 0) return /^P(?:OST|UT|ATCH)$/.test(method) ? 'Content-Length: 0\r\n' : ''
  if (method === 'CONNECT' || method === 'TRACE') throw wrong(`a body with ${method}: it has none`)
  if (typeof bodyLength === 'number' && !(Number.isSafeInteger(bodyLength) && bodyLength > 0))
    throw wrong(`a body of ${bodyLength} bytes`)
  const length = bodyLength === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${bodyLength}\r\n`
  return expectsContinue ? `${length}Expect: 100-continue\r\n` : length
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 64))
const wrong = (what: string): UsageError => new UsageError('ERR_ARGUMENT', `Cannot send ${what}`)
