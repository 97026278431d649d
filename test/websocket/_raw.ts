import { encodeFrame } from '#src/engine/websocket/connection.js'
import { FIN } from '#src/engine/websocket/frame-header.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'
import { within } from '#src/testing/contract-row.js'

const MASK = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d)

/** A frame of a client. */
export const masked = (first: number, payload: Uint8Array | string = ''): Uint8Array =>
  encodeFrame(first, typeof payload === 'string' ? Buffer.from(payload) : payload, MASK)

export const whole = (opcode: number, payload: Uint8Array | string = ''): Uint8Array => masked(FIN | opcode, payload)

export interface RawFrame {
  readonly first: number
  readonly payload: Buffer
}

/** A client that sends what it likes, behind a handshake in order. */
export class RawClient {
  readonly connection: Connection
  head: string = ''

  constructor(connection: Connection) {
    this.connection = connection
  }

  static async open(endpoint: string, path: string, fields: string = ''): Promise<RawClient> {
    const client = new RawClient(await connect(endpoint.replace(/^http:/, 'tcp:').replace(/^(memory:[^?]*).*/, '$1')))
    await client.connection.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${fields}\r\n`,
    )
    client.head = Buffer.from(await within('the handshake', client.connection.readUntil('\r\n\r\n'))).toString('latin1')
    return client
  }

  send(...frames: readonly Uint8Array[]): Promise<void> {
    return this.connection.write(Buffer.concat(frames))
  }

  /** The next frame; `null` at the end of the connection, in order or not. */
  async frame(): Promise<RawFrame | null> {
    try {
      const [first = 0, short = 0] = await this.connection.readExactly(2)
      let length = short & 0x7f
      if (length === 126) length = Buffer.from(await this.connection.readExactly(2)).readUInt16BE()
      else if (length === 127) length = Number(Buffer.from(await this.connection.readExactly(8)).readBigUInt64BE())
      return { first, payload: Buffer.from(await this.connection.readExactly(length)) }
    } catch {
      // The end is what was waited for.
      return null
    }
  }

  /** The code that the server closes with, whatever comes before; 1006 when it says none. */
  async closeCode(): Promise<number> {
    for (;;) {
      const frame = await within('a frame of the server', this.frame())
      if (frame === null) return 1006
      if ((frame.first & 15) === 8) return frame.payload.length < 2 ? 1005 : frame.payload.readUInt16BE()
    }
  }
}
