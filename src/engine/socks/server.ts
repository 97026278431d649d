import { ProtocolError, UsageError } from '../../base/errors.js'
import { byteCount, flag, readOptions, type OptionSpecs } from '../../base/options.js'
import { BufferedDecoder, END, type End, type NeedData } from '../decoder.js'
import { formatIpv4 } from '../ip-address.js'
import { tryFromUtf8 } from '../utf8.js'
import { endOfAddress, MAX_NAME_BYTES, readAddress, readName, readPort } from './_address.js'
import { refuse, shownByte } from './_refuse.js'
import { encodeReply4, meansName, VERSION_4 } from './_v4.js'
import { checkReserved, checkVersion, CREDENTIALS_VERSION, encodeReply5, METHOD, VERSION_5 } from './_v5.js'
import type { SocksAddress, SocksCommand, SocksServerEvent } from './messages.js'
import { SOCKS4_REPLY, SOCKS5_REPLY } from './replies.js'

export interface SocksServerSettings {
  readonly wantsCredentials: boolean
  readonly maxUserBytes: number
}
export type SocksServerOptions = Partial<SocksServerSettings>

export const SOCKS_SERVER_OPTIONS: OptionSpecs<SocksServerSettings> = {
  wantsCredentials: flag(
    false,
    'Whether clients have to name a user and a password (RFC 1929); those of SOCKS4 cannot, and are rejected.',
  ),
  maxUserBytes: byteCount(
    255,
    'The longest user of SOCKS4, whose end is a zero byte that need never come. Those of version 5 have 255 bytes at most.',
  ),
}

/** What is waited for. */
type Step = 'version' | 'credentials' | 'verdict' | 'request' | 'reply' | 'done'

const COMMANDS: readonly (SocksCommand | undefined)[] = [undefined, 'connect', 'bind', 'udp-associate']

/**
 * The proxy's end of a SOCKS handshake, of all three versions, told apart by their first byte. Take events until
 * `need-data`: `send` has bytes for the client; `credentials` is answered with `authenticate`, `request` with `reply`.
 * After the reply, or a `send` that refuses, comes `end`; `takeRest` has what the client sent behind its request.
 *
 * `nextEvent` throws ProtocolError `ERR_SOCKS` for what is no request, and `ERR_UNEXPECTED_END` when the client finishes
 * within one.
 */
export class SocksServer extends BufferedDecoder<SocksServerEvent> {
  readonly #settings: Readonly<SocksServerSettings>
  #step: Step = 'version'
  #version: 4 | 5 = 5

  constructor(options?: SocksServerOptions) {
    super()
    this.#settings = readOptions('SocksServer', SOCKS_SERVER_OPTIONS, options)
  }

  override nextEvent(): SocksServerEvent | NeedData | End {
    return this.#step === 'done' ? END : super.nextEvent()
  }

  /** Returns what to send. After false the client is to be left. @throws UsageError `ERR_STATE` */
  authenticate(isAccepted: boolean): Uint8Array {
    if (this.#step !== 'verdict') throw new UsageError('ERR_STATE', 'Cannot authenticate: no credentials came')
    this.#step = isAccepted ? 'request' : 'done'
    return Uint8Array.of(CREDENTIALS_VERSION, isAccepted ? 0 : 1)
  }

  /**
   * Returns what to send. `reply` is one of version 5 (`SOCKS5_REPLY`); for a client of SOCKS4 it becomes granted or
   * rejected. `bound` is this end of the connection to the target. @throws UsageError `ERR_STATE`, `ERR_ARGUMENT`.
   */
  reply(reply: number, bound?: SocksAddress): Uint8Array {
    if (this.#step !== 'reply') throw new UsageError('ERR_STATE', 'Cannot reply: no request came')
    this.#step = 'done'
    return this.#encodeReply(reply, bound)
  }

  #encodeReply(reply: number, bound?: SocksAddress): Uint8Array {
    if (this.#version === 5) return encodeReply5(reply, bound)
    const isIpv4 = bound !== undefined && /^[\d.]+$/.test(bound.host)
    return encodeReply4(
      reply === SOCKS5_REPLY.granted ? SOCKS4_REPLY.granted : SOCKS4_REPLY.rejected,
      isIpv4 ? bound : undefined,
    )
  }

  protected override decode(): SocksServerEvent | undefined {
    switch (this.#step) {
      case 'version':
        return this.#readVersion()
      case 'credentials':
        return this.#readCredentials()
      case 'request':
        return this.#version === 5 ? this.#readRequest5() : this.#readRequest4()
      case 'verdict':
      case 'reply':
      case 'done':
        return undefined
    }
  }

  #readVersion(): SocksServerEvent | undefined {
    const version = this.held.at(0)
    if (version === -1) return undefined
    if (version === VERSION_5) return this.#readGreeting()
    if (version !== VERSION_4) refuse(`version ${shownByte(version)}`)
    this.#version = 4
    if (this.#settings.wantsCredentials) return this.#refuseWith(SOCKS5_REPLY.notAllowed, 1)
    this.#step = 'request'
    return this.#readRequest4()
  }

  /** RFC 1928 §3. */
  #readGreeting(): SocksServerEvent | undefined {
    const count = this.held.at(1)
    if (count === -1 || this.held.length < 2 + count) return undefined
    const wanted = this.#settings.wantsCredentials ? METHOD.credentials : METHOD.none
    const isOffered = this.held.peek(2, 2 + count).includes(wanted)
    this.held.drop(2 + count)
    this.#step = isOffered ? (wanted === METHOD.none ? 'request' : 'credentials') : 'done'
    return { type: 'send', bytes: Uint8Array.of(VERSION_5, isOffered ? wanted : METHOD.noneAcceptable) }
  }

  /** RFC 1929 §2. */
  #readCredentials(): SocksServerEvent | undefined {
    checkVersion(this.held, 'the credentials', CREDENTIALS_VERSION)
    const userLength = this.held.at(1)
    if (userLength === 0) refuse('a user without a name')
    const passwordAt = 2 + userLength
    const passwordLength = userLength === -1 ? -1 : this.held.at(passwordAt)
    const end = passwordAt + 1 + passwordLength
    if (passwordLength === -1 || this.held.length < end) return undefined
    const user = this.#text(2, passwordAt)
    const password = this.#text(passwordAt + 1, end)
    this.held.drop(end)
    this.#step = 'verdict'
    return { type: 'credentials', user, password }
  }

  #text(from: number, to: number): string {
    return tryFromUtf8(this.held.peek(from, to)) ?? refuse('a user or password that is not UTF-8')
  }

  /** RFC 1928 §4. */
  #readRequest5(): SocksServerEvent | undefined {
    checkVersion(this.held, 'the request')
    checkReserved(this.held)
    const end = endOfAddress(this.held, 3)
    if (end === undefined) return this.#refuseWith(SOCKS5_REPLY.addressTypeNotSupported, 4)
    if (end === -1 || this.held.length < end) return undefined
    const command = COMMANDS[this.held.at(1)]
    if (command === undefined) return this.#refuseWith(SOCKS5_REPLY.commandNotSupported, end)
    const target = readAddress(this.held, 3, end)
    this.held.drop(end)
    this.#step = 'reply'
    return { type: 'request', version: 5, command, target, user: '' }
  }

  /** Version, command, port, address, user, and where the address says so a name. */
  #readRequest4(): SocksServerEvent | undefined {
    const { maxUserBytes } = this.#settings
    const userEnd = this.#endOfText(8, maxUserBytes, 'a user')
    if (userEnd === -1) return undefined
    const address = this.held.peek(4, 8)
    const hasName = meansName(address)
    const nameEnd = hasName ? this.#endOfText(userEnd + 1, MAX_NAME_BYTES, 'a name') : userEnd
    if (nameEnd === -1) return undefined
    const host = hasName ? readName(this.held.peek(userEnd + 1, nameEnd)) : formatIpv4(address)
    const target = { host, port: readPort(this.held, 2) }
    const user = this.#text(8, userEnd)
    const command = COMMANDS[this.held.at(1)]
    // SOCKS4 knows nothing of datagrams.
    if (command === undefined || command === 'udp-associate')
      return this.#refuseWith(SOCKS5_REPLY.commandNotSupported, nameEnd + 1)
    this.held.drop(nameEnd + 1)
    this.#step = 'reply'
    return { type: 'request', version: 4, command, target, user }
  }

  /** Where the zero byte stands behind a text of at most `max` bytes; -1 when it has not come. */
  #endOfText(from: number, max: number, what: string): number {
    if (this.held.length <= from) return -1
    const end = this.held.peek(0, from + max + 1).indexOf(0, from)
    if (end === -1 && this.held.length > from + max) refuse(`${what} of more than ${max} bytes`)
    return end
  }

  #refuseWith(reply: number, drop: number): SocksServerEvent {
    this.held.drop(drop)
    this.#step = 'done'
    return { type: 'send', bytes: this.#encodeReply(reply) }
  }

  protected override decodeLast(): never {
    throw new ProtocolError('ERR_UNEXPECTED_END', 'Cannot read SOCKS message: the client finished within it')
  }

  protected override restart(): void {
    // What was looked through is looked through again: requests are short.
  }
}
