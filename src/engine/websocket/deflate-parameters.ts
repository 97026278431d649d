import { tryParseExtensions, type Extension } from './extensions.js'

const NAME = 'permessage-deflate'
const MAX_BITS = 15
/** zlib makes no raw stream with a window of 8 bits; what it makes instead has one of 9. */
const MIN_BITS = 9

/** What was agreed on, RFC 7692 §7.1. */
export interface DeflateParameters {
  readonly serverNoContextTakeover: boolean
  readonly clientNoContextTakeover: boolean
  /** From 9 to 15. */
  readonly serverMaxWindowBits: number
  readonly clientMaxWindowBits: number
}

/** What a side would like, before anything is agreed on. */
export interface DeflateWishes {
  /** Whether this side keeps what it has sent, to refer to it. */
  readonly ownContextTakeover: boolean
  /** Whether the peer may. */
  readonly peerContextTakeover: boolean
}

const BITS = /^(?:[89]|1[0-5])$/

/** The number of bits; `undefined` for what is none. */
const bitsOf = (value: string | true | undefined): number | undefined =>
  typeof value === 'string' && BITS.test(value) ? Number(value) : undefined

const KNOWN = new Set([
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits',
  'client_max_window_bits',
])

/** RFC 7692 §7: no unknown parameter, none twice, flags without a value, bits from 8 to 15. */
function isValid({ name, parameters, repeats }: Extension, isOffer: boolean): boolean {
  if (name !== NAME || repeats) return false
  for (const [key, value] of parameters) {
    if (!KNOWN.has(key)) return false
    const isFlag = key.endsWith('takeover')
    if (
      isFlag
        ? value !== true
        : bitsOf(value) === undefined && !(isOffer && key === 'client_max_window_bits' && value === true)
    )
      return false
  }
  return true
}

/**
 * RFC 7692 §5.1: what a server answers to the offers of a client: the first that it can do. `undefined` to go on without
 * compression; offers that cannot be read count as none.
 */
export function acceptOffer(
  offers: string,
  wishes: DeflateWishes,
): { readonly parameters: DeflateParameters; readonly answer: string } | undefined {
  for (const offer of tryParseExtensions(offers) ?? []) {
    if (!isValid(offer, true)) continue
    const { parameters: asked } = offer
    const serverBits = bitsOf(asked.get('server_max_window_bits'))
    if (serverBits !== undefined && serverBits < MIN_BITS) continue
    const serverNoContextTakeover = asked.has('server_no_context_takeover') || !wishes.ownContextTakeover
    const clientNoContextTakeover = asked.has('client_no_context_takeover') || !wishes.peerContextTakeover
    let answer = NAME
    if (serverNoContextTakeover) answer += '; server_no_context_takeover'
    if (clientNoContextTakeover) answer += '; client_no_context_takeover'
    if (serverBits !== undefined) answer += `; server_max_window_bits=${serverBits}`
    const serverMaxWindowBits = serverBits ?? MAX_BITS
    // What the client says it will not go over is a hint (§7.1.2.2): a full window inflates all of it.
    return {
      parameters: {
        serverNoContextTakeover,
        clientNoContextTakeover,
        serverMaxWindowBits,
        clientMaxWindowBits: MAX_BITS,
      },
      answer,
    }
  }
  return undefined
}

/** What a client offers. */
export function offerDeflate({ ownContextTakeover, peerContextTakeover }: DeflateWishes): string {
  let offer = NAME
  if (!peerContextTakeover) offer += '; server_no_context_takeover'
  if (!ownContextTakeover) offer += '; client_no_context_takeover'
  return `${offer}; client_max_window_bits`
}

/** RFC 7692 §7.1: what the server has answered to that; `undefined` for what it may not answer: the handshake fails. */
export function readAnswer(answer: string, wishes: DeflateWishes): DeflateParameters | undefined {
  const extensions = tryParseExtensions(answer)
  const [agreed] = extensions ?? []
  if (extensions?.length !== 1 || agreed === undefined || !isValid(agreed, false)) return undefined
  const { parameters } = agreed
  const serverNoContextTakeover = parameters.has('server_no_context_takeover')
  if (!wishes.peerContextTakeover && !serverNoContextTakeover) return undefined
  const clientBits = bitsOf(parameters.get('client_max_window_bits')) ?? MAX_BITS
  // Nothing here compresses within 8 bits.
  if (clientBits < MIN_BITS) return undefined
  return {
    serverNoContextTakeover,
    clientNoContextTakeover: parameters.has('client_no_context_takeover') || !wishes.ownContextTakeover,
    // A window of 8 bits inflates with one of 9.
    serverMaxWindowBits: Math.max(MIN_BITS, bitsOf(parameters.get('server_max_window_bits')) ?? MAX_BITS),
    clientMaxWindowBits: clientBits,
  }
}
