import type { Readable, Writable } from 'node:stream'
import type { Address, Datagram, DatagramSocket } from '../transport/index.js'
import type { Tap } from './pipes.js'

export interface DatagramPipeOptions {
  /** One datagram a line of input instead of one a chunk. */
  readonly lines: boolean
  /** Milliseconds to wait for answers after the input has ended. */
  readonly lingerMs: number
  readonly tapOut: Tap | undefined
  readonly tapIn: Tap | undefined
  readonly signal: AbortSignal
}

/** Sends what comes in, one datagram a chunk or a line. */
export async function sendFrom(
  input: Readable,
  socket: DatagramSocket,
  to: () => Address | undefined,
  options: DatagramPipeOptions,
): Promise<void> {
  let held = ''
  const send = async (data: Uint8Array): Promise<void> => {
    options.tapOut?.(data)
    await socket.send(data, to())
  }
  for await (const chunk of input) {
    if (!options.lines) {
      await send(Buffer.from(chunk))
      continue
    }
    const parts = (held + String(chunk)).split('\n')
    held = parts.pop() ?? ''
    for (const line of parts) await send(Buffer.from(`${line}\n`))
  }
  if (held !== '') await send(Buffer.from(held))
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
