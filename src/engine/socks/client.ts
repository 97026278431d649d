import { ProtocolError } from '../../base/errors.js'
import { BufferedDecoder, END, type End, type NeedData } from '../decoder.js'
import { refuse, shownByte } from './_refuse.js'
import { encodeRequest4, readReply4 } from './_v4.js'
import { encodeCredentials, encodeGreeting, encodeRequest5, METHOD, readMethod, readReply5, readStatus } from './_v5.js'
import type { SocksClientEvent, SocksRefused, SocksRequest } from './messages.js'

/** What is waited for. */
type Step = 'turn' | 'method' | 'status' | 'reply' | 'done'

/**
 * The client's end of a SOCKS handshake (RFC 1928 and 1929, SOCKS4, SOCKS4a), without a socket: asks a proxy for a tunnel
 * to a host and port. Take events until `need-data`, from the start on: each `send` has bytes for the proxy. The last is
 * `connected` or `refused`; then comes `end`, and after `connected` `takeRest` gives what the target has sent already.
 *
 * A proxy's answers have at most 262 bytes by their form, so there is no limit to set.
 *
 * `nextEvent` throws ProtocolError `ERR_SOCKS` for what is no answer, and `ERR_UNEXPECTED_END` when the proxy finishes
 * before it has answered.
 */
export class SocksClient extends BufferedDecoder<SocksClientEvent> {
  readonly #version: SocksRequest['version']
  readonly #first: Uint8Array
  readonly #credentials: Uint8Array | undefined
  /** Version 5 sends it when the method is settled. */
  readonly #request: Uint8Array
  #step: Step = 'turn'
  #peerEnded = false

  /** @throws UsageError `ERR_ARGUMENT` for what the version has no form for. It tells nothing of a password. */
  constructor(request: SocksRequest) {
    super()
    this.#version = request.version
    if (request.version === 5) {
      const { target, credentials } = request
      this.#request = encodeRequest5(target)
      this.#credentials = credentials === undefined ? undefined : encodeCredentials(credentials)
      this.#first = encodeGreeting(credentials !== undefined)
    } else {
      this.#request = encodeRequest4(request)
      this.#first = this.#request
    }
  }

  override receiveEof(): void {
    this.#peerEnded = true
    super.receiveEof()
  }

  override nextEvent(): SocksClientEvent | NeedData | End {
    return this.#step === 'done' ? END : super.nextEvent()
  }

  protected override decode(): SocksClientEvent | undefined {
    const event = this.#next()
    if (event === undefined && this.#peerEnded) this.decodeLast()
    if (event !== undefined && event.type !== 'send') this.#step = 'done'
    return event
  }

  #next(): SocksClientEvent | undefined {
    switch (this.#step) {
      case 'turn':
        this.#step = this.#version === 5 ? 'method' : 'reply'
        return { type: 'send', bytes: this.#first }
      case 'method':
        return this.#readMethod()
      case 'status':
        return this.#readStatus()
      case 'reply':
        return this.#version === 5 ? readReply5(this.held) : readReply4(this.held)
      case 'done':
        return undefined
    }
  }

  #readMethod(): SocksClientEvent | undefined {
    const method = readMethod(this.held)
    if (method === undefined) return undefined
    if (method === METHOD.none) return this.#sendRequest()
    if (method === METHOD.noneAcceptable) {
      return refused('methods', method, this.#credentials === undefined ? WANTS_MORE : NO_METHOD)
    }
    if (method !== METHOD.credentials || this.#credentials === undefined)
      refuse(`the method ${shownByte(method)} was not offered`)
    this.#step = 'status'
    return { type: 'send', bytes: this.#credentials }
  }

  #readStatus(): SocksClientEvent | undefined {
    const status = readStatus(this.held)
    if (status === undefined) return undefined
    return status === 0 ? this.#sendRequest() : refused('credentials', status, 'it does not take these credentials')
  }

  #sendRequest(): SocksClientEvent {
    this.#step = 'reply'
    return { type: 'send', bytes: this.#request }
  }

  protected override decodeLast(): never {
    throw new ProtocolError(
      'ERR_UNEXPECTED_END',
      'Cannot read SOCKS message: the proxy finished before it had answered',
    )
  }

  protected override restart(): void {
    // What was looked through is looked through again: answers are short.
  }
}

const WANTS_MORE = 'it takes nobody without authentication'
const NO_METHOD = 'it wants another way of authentication than a password'

const refused = (at: SocksRefused['at'], reply: number, reason: string): SocksRefused => ({
  type: 'refused',
  at,
  reply,
  reason,
})
