import { UsageError } from '../../base/errors.js'
import { isMadeOf, isToken, QUERY_BYTES, TARGET_BYTES } from '../http/characters.js'
import { checkFieldName, encodeField, fieldPairs, type FieldInit } from '../http/fields.js'
import { authorityOf, isHost, targetForm } from '../http/target.js'

/** What a request begins with. */
export interface RequestStart {
  readonly method: string
  /** A path and a query; a whole URL for a proxy; host and port for CONNECT; `*` for OPTIONS. */
  readonly target: string
  /** What the Host field says: host, and port where it is not the usual one. '' where the target has none. */
  readonly host: string
  /**
   * Without Host. Those that are made of what stands here, Connection and what frames the body, stand behind all others;
   * one that is given with the very value that is made stands where it is given. Default: none.
   */
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
  const { method, target, host, fields = [] } = start
  checkMethod(method)
  checkTarget(method, target, host)
  let made = madeFields(start)
  let placed: readonly string[] = NONE
  let lines = `${method} ${target} HTTP/1.1\r\n${encodeField('Host', host)}`
  for (const [name, value] of fieldPairs(fields)) {
    const key = name.toLowerCase()
    if (RESERVED.has(key)) {
      if (placed.includes(key)) throw wrong(`the field ${name}: it may stand once`)
      placed = [...placed, key]
      made = withoutPlaced(made, name, value, start)
    }
    lines += value === '' ? emptyField(name) : encodeField(name, value)
  }
  return `${lines}${made}\r\n`
}

const NONE: readonly string[] = []

/** RFC 9112 §5: nothing has to stand behind the colon, and space at an end is no part of a value. */
function emptyField(name: string): string {
  checkFieldName(name)
  return `${name}:\r\n`
}

function madeFields(start: RequestStart): string {
  const { upgrade = '', wantsTrailers = false, close = false } = start
  let lines = lengthField(start)
  if (upgrade !== '') lines += encodeField('Upgrade', upgrade)
  if (wantsTrailers) lines += encodeField('TE', 'trailers')
  // What concerns this connection alone is named in Connection: a proxy does not pass it on (RFC 9110 §7.6.1, §10.1.4).
  const options = [
    ...(upgrade === '' ? [] : ['Upgrade']),
    ...(wantsTrailers ? ['TE'] : []),
    ...(close ? ['close'] : []),
  ]
  return options.length > 0 ? `${lines}Connection: ${options.join(', ')}\r\n` : lines
}

/** What is still to be written when this one stands among the others. @throws UsageError `ERR_ARGUMENT` for another value. */
function withoutPlaced(
  made: string,
  name: string,
  value: string,
  { bodyLength = 0, close = false }: RequestStart,
): string {
  const wanted = `${name}: ${value}`.toLowerCase()
  const lines = made.split('\r\n')
  const at = lines.findIndex((line) => line.toLowerCase() === wanted)
  if (at !== -1 && value !== '') return lines.toSpliced(at, 1).join('\r\n')
  const saysWhatIsSo =
    (wanted === 'content-length: 0' && bodyLength === 0) ||
    ((wanted === 'connection: keep-alive' || wanted === 'proxy-connection: keep-alive') && !close)
  if (saysWhatIsSo) return made
  throw wrong(`the field ${name}: it is made of the other properties of the request`)
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
