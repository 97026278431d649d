import type { Readable, Writable } from 'node:stream'
import { LineDecoder } from '../engine/framing/index.js'
import type { Address, Datagram, DatagramSocket } from '../transport/index.js'
import type { Tap, Taps } from './pipes.js'

export interface DatagramPipeOptions extends Taps {
  /** One datagram a line of input, with this ending, instead of one a chunk. */
  readonly lineEnding: '\n' | '\r\n' | undefined
}

/** The most that a datagram of UDP over IPv4 carries: a longer piece of input is cut into several. */
const MAX_PIECE_BYTES = 65_507
/** More than any datagram holds: the socket says of a line that is too long how much fits. */
const MAX_LINE_BYTES = 512 * 1024

/** Sends what comes in, one datagram a line, or one for what each read of the input gives. */
export async function sendFrom(
  input: Readable,
  socket: DatagramSocket,
  to: () => Address | undefined,
  { lineEnding, tapOut }: DatagramPipeOptions,
): Promise<void> {
  for await (const data of lineEnding === undefined ? piecesOf(input) : linesOf(input, lineEnding)) {
    tapOut?.(data)
    await socket.send(data, to())
  }
}

async function* piecesOf(input: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk)
    for (let at = 0; at < bytes.length; at += MAX_PIECE_BYTES) yield bytes.subarray(at, at + MAX_PIECE_BYTES)
  }
}

/** The bytes of each line, whatever the text is encoded in; an unfinished last line is given as it is. */
async function* linesOf(input: Readable, ending: string): AsyncGenerator<Uint8Array> {
  const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES })
  const end = Buffer.from(ending)
  for await (const chunk of input) {
    decoder.receive(Buffer.from(chunk))
    for (let event = decoder.nextEvent(); event.type === 'line'; event = decoder.nextEvent())
      yield Buffer.concat([event.bytes, end])
  }
  decoder.receiveEof()
  const last = decoder.nextEvent()
  if (last.type === 'line') yield last.bytes
}

/** Writes each datagram that arrives to the output; `seen` hears of its sender. Resolves when the socket is closed. */
export async function receiveTo(
  output: Writable,
  socket: DatagramSocket,
  { tapIn }: DatagramPipeOptions,
  seen: (datagram: Datagram) => void,
): Promise<void> {
  for await (const datagram of socket) {
    seen(datagram)
    tapIn?.(datagram.data)
    output.write(datagram.data)
  }
}

/** Passes each datagram of one socket on to the peer of the other, both ways, until one of them is closed. */
export async function relayDatagrams(
  first: DatagramSocket,
  second: DatagramSocket,
  { tapIn, tapOut }: Taps,
): Promise<void> {
  const copy = async (from: DatagramSocket, to: DatagramSocket, tap: Tap | undefined): Promise<void> => {
    for await (const { data } of from) {
      tap?.(data)
      await to.send(data)
    }
  }
  const ways = [copy(first, second, tapIn), copy(second, first, tapOut)]
  try {
    await Promise.race(ways)
  } finally {
    await Promise.all([first.close(), second.close()])
    await Promise.allSettled(ways)
  }
}
