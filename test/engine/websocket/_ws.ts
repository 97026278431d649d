// The receiver of the npm package ws, fed in one go: what it makes of a stream of frames.
import assert from 'node:assert/strict'
import * as ws from 'ws'
import type { Role } from './_frames.js'

type Callback = (error?: Error) => void

interface Receiver {
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void
  on(event: 'ping' | 'pong', listener: (data: Buffer) => void): void
  on(event: 'conclude', listener: (code: number, reason: Buffer) => void): void
  _write(chunk: Buffer, encoding: string, callback: Callback): void
}

interface ReceiverOptions {
  readonly isServer: boolean
  readonly maxPayload: number
  readonly extensions: Readonly<Record<string, unknown>>
}

// It is exported, and not typed.
const { Receiver: ReceiverClass } = ws as unknown as {
  readonly Receiver: new (options: ReceiverOptions) => Receiver
}

export interface Theirs {
  readonly events: readonly string[]
  /** `need-data`, `end`, or the code of the error and what the connection is closed with. */
  readonly ending: string
}

/** A compressed message is told by its bytes, in a way that is text: inflating is not what is compared. */
export const asCompressed = (bytes: Uint8Array): string => `${Buffer.from(bytes).toString('hex')}Z`

const deflate = {
  decompress(data: Buffer, isLast: boolean, done: (error: null, made: Buffer) => void): void {
    done(null, Buffer.from(data.toString('hex') + (isLast ? 'Z' : '')))
  },
}

export function readByWs(bytes: Uint8Array, role: Role, deflates: boolean, maxMessageBytes: number): Theirs {
  const events: string[] = []
  let ending = 'need-data'
  const receiver = new ReceiverClass({
    isServer: role === 'server',
    // What stands for a compressed message is longer than that: only what came is to be limited.
    maxPayload: deflates ? 0 : maxMessageBytes,
    extensions: deflates ? { 'permessage-deflate': deflate } : {},
  })
  receiver.on('message', (data, isBinary) => {
    events.push(isBinary ? `binary ${data.toString('latin1')}` : `text ${data.toString()}`)
  })
  receiver.on('ping', (data) => events.push(`ping ${data.toString('latin1')}`))
  receiver.on('pong', (data) => events.push(`pong ${data.toString('latin1')}`))
  receiver.on('conclude', (code, reason) => {
    events.push(`close ${code} ${reason.toString()}`)
    ending = 'end'
  })
  // It unmasks in place. Called at once, it tells errors at once, where the stream around it would do so later.
  receiver._write(Buffer.from(bytes), 'buffer', (error) => {
    if (error !== undefined && error !== null) ending = endingOf(error)
  })
  return { events, ending }
}

function endingOf(error: Error): string {
  const [symbol] = Object.getOwnPropertySymbols(error)
  assert.ok(symbol !== undefined && 'code' in error)
  return `${String(error.code)} ${String(Reflect.get(error, symbol))}`
}
