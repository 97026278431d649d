import type { ProtocolError } from '../../base/errors.js'
import { isToken, trimSpace } from '../http/characters.js'
import { isSameName, SPAN, type FieldSpans } from '../http/fields.js'
import { authorityOf, isHost, targetForm } from '../http/target.js'
import type { BodyLength, RequestFacts } from './message-head.js'
import { refuse } from './refuse.js'

/** Digits of a Content-Length that are surely a safe integer. */
const MAX_LENGTH_DIGITS = 15

const LENGTH = 'content-length'
const CODING = 'transfer-encoding'

/** The fields that decide how a message is read (RFC 9112 §6, §7, §9), as they were found. */
export class FramingFields {
  hosts = 0
  host = ''
  length: number | undefined = undefined
  isChunked = false
  codings = 0
  close = false
  keepAlive = false
  upgradeNamed = false
  upgrade = ''
  expectation: string | undefined = undefined

  /** @throws ProtocolError with `details.status`. */
  read(text: string, spans: FieldSpans): void {
    for (let at = 0; at < spans.length; at += SPAN) {
      const name = spans[at] ?? 0
      // Most fields are told from these by the length of their names alone.
      switch ((spans[at + 1] ?? 0) - name) {
        case 4:
          if (isSameName(text, name, 'host')) this.#readHost(valueAt(text, spans, at))
          break
        case 6:
          if (isSameName(text, name, 'expect')) this.#readExpect(valueAt(text, spans, at))
          break
        case 7:
          if (isSameName(text, name, 'upgrade')) this.#readUpgrade(valueAt(text, spans, at))
          break
        case 10:
          if (isSameName(text, name, 'connection')) this.#readConnection(valueAt(text, spans, at))
          break
        case LENGTH.length:
          if (isSameName(text, name, LENGTH)) this.#readLength(valueAt(text, spans, at))
          break
        case CODING.length:
          if (isSameName(text, name, CODING)) this.#readCoding(valueAt(text, spans, at))
          break
        default:
      }
    }
  }

  #readHost(value: string): void {
    this.hosts += 1
    this.host = value
  }

  #readExpect(value: string): void {
    this.expectation = this.expectation === undefined ? value : `${this.expectation}, ${value}`
  }

  #readUpgrade(value: string): void {
    this.upgrade = (this.upgrade === '' ? value : `${this.upgrade}, ${value}`).toLowerCase()
  }

  /** RFC 9110 §7.6.1: a list of tokens. */
  #readConnection(value: string): void {
    if (value === 'keep-alive') {
      this.keepAlive = true
      return
    }
    for (const part of value.split(',')) {
      const option = trimSpace(part).toLowerCase()
      if (option === '') continue
      if (!isToken(option))
        throw refuse('ERR_HTTP_FIELD', 'Cannot read Connection: it is no list of names', 400, 'RFC 9110 §7.6.1')
      if (option === 'close') this.close = true
      else if (option === 'keep-alive') this.keepAlive = true
      else if (option === 'upgrade') this.upgradeNamed = true
    }
  }

  /** RFC 9112 §6.3, and stricter: digits only, and once. A list, a sign or a repetition was read in two ways. */
  #readLength(value: string): void {
    if (this.length !== undefined) throw badLength('it came more than once')
    if (!/^\d+$/.test(value)) throw badLength(`${JSON.stringify(value.slice(0, 64))} is no number`)
    if (value.length > MAX_LENGTH_DIGITS) throw badLength('it is too large')
    this.length = Number(value)
  }

  /** RFC 9112 §6.1 and §7: `chunked`, alone and once. */
  #readCoding(value: string): void {
    this.codings += 1
    if (this.codings > 1)
      throw refuse(
        'ERR_HTTP_BODY_LENGTH',
        'Cannot read Transfer-Encoding: it came more than once',
        400,
        'RFC 9112 §6.1',
      )
    if (value === 'chunked' || value.toLowerCase() === 'chunked') {
      this.isChunked = true
      return
    }
    const names = value.split(',').map((part) => trimSpace(part).toLowerCase())
    const isKnownShape = names.every((name) => isToken(trimSpace(name.split(';', 1)[0] ?? '')))
    // The length of a request is known only when chunked comes last, and once; other codings are not spoken here.
    const isReadable = isKnownShape && names.at(-1) === 'chunked' && names.indexOf('chunked') === names.length - 1
    throw refuse(
      'ERR_HTTP_TRANSFER_CODING',
      `Cannot read Transfer-Encoding ${JSON.stringify(value.slice(0, 64))}: only "chunked" is understood`,
      isReadable ? 501 : 400,
      isReadable ? 'RFC 9112 §6.1' : 'RFC 9112 §6.3',
    )
  }

  /**
   * RFC 9112 §6.3: both lengths at once are refused, as that is how requests were smuggled. `undefined` when none is told,
   * which is no body of a request, and one up to the end of the connection of a response.
   */
  messageLength(minorVersion: number): BodyLength | undefined {
    if (!this.isChunked) return this.length
    if (this.length !== undefined) throw badLength('Transfer-Encoding came with it')
    if (minorVersion === 0)
      throw refuse('ERR_HTTP_BODY_LENGTH', 'Cannot read Transfer-Encoding in HTTP/1.0', 400, 'RFC 9112 §6.1')
    return 'chunked'
  }

  /** RFC 9112 §9.3. */
  persists(minorVersion: number): boolean {
    return !this.close && (minorVersion === 1 || this.keepAlive)
  }
}

const valueAt = (text: string, spans: FieldSpans, at: number): string => text.slice(spans[at + 2], spans[at + 3])

const badLength = (why: string): ProtocolError =>
  refuse('ERR_HTTP_BODY_LENGTH', `Cannot read Content-Length: ${why}`, 400, 'RFC 9112 §6.3')

/** What a request head says, checked. @throws ProtocolError with `details.status`. */
export function readRequestFacts(
  text: string,
  spans: FieldSpans,
  method: string,
  target: string,
  minorVersion: number,
): RequestFacts {
  const found = new FramingFields()
  found.read(text, spans)
  const host = checkHost(found, method, target, minorVersion)
  const bodyLength = found.messageLength(minorVersion) ?? 0
  if ((method === 'CONNECT' || method === 'TRACE') && (found.isChunked || found.length !== undefined)) {
    const section = method === 'CONNECT' ? 'RFC 9110 §9.3.6' : 'RFC 9110 §9.3.8'
    throw refuse('ERR_HTTP_BODY_LENGTH', `Cannot read ${method} with a body: it has none`, 400, section)
  }
  const { expectation } = found
  let expectsContinue = false
  if (expectation !== undefined && minorVersion === 1) {
    if (expectation.toLowerCase() !== '100-continue')
      throw refuse(
        'ERR_HTTP_EXPECTATION',
        `Cannot meet the expectation ${JSON.stringify(expectation.slice(0, 64))}`,
        417,
        'RFC 9110 §10.1.1',
      )
    expectsContinue = bodyLength !== 0
  }
  return {
    minorVersion,
    bodyLength,
    keepAlive: found.persists(minorVersion),
    expectsContinue,
    upgrade: found.upgradeNamed && minorVersion === 1 ? found.upgrade : '',
    host,
  }
}

/** RFC 9112 §3.2. */
function checkHost(found: FramingFields, method: string, target: string, minorVersion: number): string {
  const { hosts, host } = found
  if (hosts > 1) throw badHost('it came more than once')
  if (hosts === 0 && minorVersion === 1) throw badHost('it is missing')
  if (!isHost(host)) throw badHost(`${JSON.stringify(host.slice(0, 64))} is no host`)
  // Nearly every target is a path.
  if (target.charCodeAt(0) === 0x2f && method !== 'CONNECT') return host
  const form = targetForm(method, target)
  if (form === undefined) {
    throw refuse(
      'ERR_HTTP_TARGET',
      `Cannot read the target ${JSON.stringify(target.slice(0, 64))} of ${method}: expected a path that begins with "/", or a URL`,
      400,
      'RFC 9112 §3.2',
    )
  }
  const named = form === 'authority' ? target : form === 'absolute' ? (authorityOf(target) ?? '') : host
  if (hosts === 1 && named.toLowerCase() !== host.toLowerCase()) throw badHost('the target names another')
  return named
}

const badHost = (why: string): ProtocolError =>
  refuse('ERR_HTTP_HOST', `Cannot read Host: ${why}`, 400, 'RFC 9112 §3.2')
