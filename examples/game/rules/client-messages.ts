// What a browser or a bot sends: an input for each of its ticks, or the wish for a snapshot.
import { ByteReader, ByteWriter } from './bytes.js'

/** The first byte of a message of a client. */
const INPUT = 1
const RESYNC = 2

export const MAX_CLIENT_MESSAGE_BYTES = 8

export type ClientMessage =
  /** `number` grows by one with each input. */
  { readonly type: 'input'; readonly number: number; readonly steer: number } | { readonly type: 'resync' }

export function encodeInput(number: number, steer: number): Uint8Array {
  const writer = new ByteWriter()
  writer.byte(INPUT)
  writer.count(number)
  writer.byte(steer)
  return writer.finish()
}

export const encodeResync = (): Uint8Array => Uint8Array.of(RESYNC)

/** `undefined` for what is none. */
export function tryParseClientMessage(bytes: Uint8Array): ClientMessage | undefined {
  const reader = new ByteReader(bytes)
  try {
    const type = reader.byte()
    const message: ClientMessage | undefined =
      type === INPUT
        ? { type: 'input', number: reader.count(), steer: reader.byte() }
        : type === RESYNC
          ? { type: 'resync' }
          : undefined
    reader.end()
    return message
  } catch {
    // Told by whoever asked.
    return undefined
  }
}
