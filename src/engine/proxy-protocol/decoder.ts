import { CR, LF } from '../../base/ascii.js'
import { ProtocolError } from '../../base/errors.js'
import { byteCount, readOptions, type OptionSpecs } from '../../base/options.js'
import { BufferedDecoder, END, type End, type NeedData } from '../decoder.js'
import type { ProxyHeader } from './header.js'
import { refuse } from './_refuse.js'
import { MAX_V1_BYTES, parseV1, V1_SIGNATURE } from './v1.js'
import { measureV2, parseV2, V2_FIXED_BYTES, V2_SIGNATURE } from './v2.js'

export interface ProxyHeaderSettings {
  readonly maxHeaderBytes: number
}
export type ProxyHeaderOptions = Partial<ProxyHeaderSettings>

export const PROXY_HEADER_OPTIONS: OptionSpecs<ProxyHeaderSettings> = {
  maxHeaderBytes: byteCount(
    4096,
    'The longest header of version 2, in bytes, from its signature on. nginx takes 4,096, HAProxy what fits in its ' +
      'buffer of 16,384: the smaller one, which has room for a client certificate. Version 1 has 107 by its specification.',
    { min: 232, max: 65_551 },
  ),
}

export interface ProxyHeaderEvent {
  readonly type: 'header'
  readonly header: ProxyHeader
}

/**
 * Reads the PROXY protocol header that a connection begins with, version 1 or 2, told apart by their first byte. After
 * the one `header` event comes `end`, and `takeRest` gives what the client itself has sent. A peer that finishes
 * without a byte gives `end` alone: some health checks do that.
 *
 * `nextEvent` throws ProtocolError `ERR_PROXY_HEADER` at the first byte that is wrong, with its position in
 * `details.position`, and `ERR_UNEXPECTED_END` when the peer finishes within the header.
 *
 * Only believe a header from a proxy that you trust: whoever connects can write one.
 */
export class ProxyHeaderDecoder extends BufferedDecoder<ProxyHeaderEvent> {
  readonly #maxHeaderBytes: number
  #scanned = 0
  #done = false

  constructor(options?: ProxyHeaderOptions) {
    super()
    this.#maxHeaderBytes = readOptions('ProxyHeaderDecoder', PROXY_HEADER_OPTIONS, options).maxHeaderBytes
  }

  override nextEvent(): ProxyHeaderEvent | NeedData | End {
    return this.#done ? END : super.nextEvent()
  }

  protected override decode(): ProxyHeaderEvent | undefined {
    if (this.held.length === 0) return undefined
    const isV2 = this.held.at(0) === CR
    this.#checkSignature(isV2 ? V2_SIGNATURE : V1_SIGNATURE)
    const end = isV2 ? this.#endOfV2() : this.#endOfV1()
    if (end === -1) return undefined
    const bytes = this.held.take(0, end, end)
    const header = isV2 ? parseV2(bytes) : parseV1(bytes)
    this.#done = true
    return { type: 'header', header }
  }

  protected override decodeLast(): never {
    const { length } = this.held
    throw new ProtocolError('ERR_UNEXPECTED_END', `Cannot parse PROXY header: the peer finished after ${length} bytes`)
  }

  protected override restart(): void {
    this.#scanned = 0
    this.#done = false
  }

  #checkSignature(signature: Uint8Array): void {
    if (this.held.agreesWith(signature)) return
    const bytes = this.held.peek()
    const wrong = signature.findIndex((byte, i) => byte !== bytes[i])
    refuse('another byte than a PROXY header has', bytes, wrong)
  }

  #endOfV1(): number {
    const bytes = this.held.peek(0, MAX_V1_BYTES)
    const lf = bytes.indexOf(LF, this.#scanned)
    if (lf !== -1) return lf + 1
    if (bytes.length === MAX_V1_BYTES) refuse('no end of line', bytes, MAX_V1_BYTES)
    this.#scanned = bytes.length
    return -1
  }

  #endOfV2(): number {
    if (this.held.length < V2_FIXED_BYTES) return -1
    const total = measureV2(this.held.peek(0, V2_FIXED_BYTES), this.#maxHeaderBytes)
    return this.held.length < total ? -1 : total
  }
}
