import { UsageError } from '../base/errors.js'
import type { Address } from '../transport/address.js'
import { asBuffer } from '../transport/as-buffer.js'
import type { Connection } from '../transport/connection.js'
import { copyBytes } from '../transport/fresh-bytes.js'
import { StreamConnection } from '../transport/stream-connection.js'
import type { TlsInfo } from '../transport/tls-options.js'
import type { StreamFunction } from './handlers.js'

/** As in asyncio: 64 KiB, and a quarter of it. */
const DEFAULT_HIGH_WATER_BYTES = 64 * 1024

/** What a protocol object writes to and controls its connection by: asyncio's `Transport`. */
export interface ProtocolTransport {
  readonly local: Address
  readonly remote: Address
  readonly tls: TlsInfo | undefined
  readonly isClosing: boolean
  readonly bufferedBytes: number
  /** Never waits. Above the high-water mark `pauseWriting` is called; past the hard cap the connection is destroyed. */
  write(data: Uint8Array | string): void
  /** Half-close: everything written is sent, then the end. */
  writeEof(): void
  pauseReading(): void
  resumeReading(): void
  /**
   * `pauseWriting` is called when strictly more than `highBytes` wait, `resumeWriting` when `lowBytes` or fewer do,
   * whatever the marks of the connection are. Default: 64 KiB, and a quarter of `highBytes`, as in asyncio.
   */
  setWriteBufferLimits(limits: { readonly highBytes: number; readonly lowBytes?: number }): void
  /** Sends what is buffered, reads no more, and then calls `connectionLost` with `undefined`. */
  close(): void
  /** Drops what is buffered; `connectionLost` follows. */
  abort(): void
}

/**
 * A protocol as asyncio has it: an object that is called, instead of a handler that reads. The order of calls is exact:
 * `connectionMade`, then `dataReceived` any number of times, then `eofReceived` at most once, then `connectionLost`;
 * `pauseWriting` and `resumeWriting` alternate in between. An exception of one of them ends the connection, and goes to
 * the server's `handleError`.
 */
export abstract class Protocol {
  connectionMade(_transport: ProtocolTransport): void {}
  /** The bytes are yours. */
  dataReceived(_data: Uint8Array): void {}
  /** The peer has finished sending. True keeps the connection open for writing; else it is closed. */
  eofReceived(): boolean | void {}
  /** The last call; `error` is `undefined` after an end in order. */
  connectionLost(_error: Error | undefined): void {}
  pauseWriting(): void {}
  resumeWriting(): void {}
}

/**
 * A stream handler that makes a protocol object for each connection, as `loop.create_server` does.
 * @example
 * class Echo extends Protocol {
 *   #transport?: ProtocolTransport
 *   override connectionMade(transport: ProtocolTransport) { this.#transport = transport }
 *   override dataReceived(data: Uint8Array) { this.#transport?.write(data) }
 * }
 * const server = await serve('tcp://127.0.0.1:0', protocolHandler(() => new Echo()))
 */
export function protocolHandler(makeProtocol: () => Protocol): StreamFunction {
  return (connection, { draining }) => new ProtocolRun(toStreamConnection(connection), makeProtocol()).run(draining)
}

function toStreamConnection(connection: Connection): StreamConnection {
  if (connection instanceof StreamConnection) return connection
  throw new UsageError('ERR_ARGUMENT', 'Cannot run a protocol over this connection: it was not made by this package')
}

class ProtocolRun implements ProtocolTransport {
  readonly #connection: StreamConnection
  readonly #protocol: Protocol
  #highBytes = DEFAULT_HIGH_WATER_BYTES
  #lowBytes = DEFAULT_HIGH_WATER_BYTES / 4
  #writingPaused = false
  #readingPaused = false
  /** What came while reading was paused: a driver may have had some on its way. */
  readonly #held: Buffer[] = []
  #heldEnd = false
  #delivering = false
  /** `close` or `abort` was called, or the protocol has failed: it hears of nothing but the end. */
  #isOver = false
  #isLost = false
  #failure: { readonly error: unknown } | undefined
  /** Calls of the protocol that have not returned; what ended meanwhile is told after them. */
  #depth = 0
  #lose: (() => void) | undefined

  constructor(connection: StreamConnection, protocol: Protocol) {
    this.#connection = connection
    this.#protocol = protocol
  }

  run(draining: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      // asyncio's servers close their transports when they close; what was written is sent.
      const close = (): void => this.close()
      draining.addEventListener('abort', close, { once: true })
      this.#connection.watchBuffer(() => this.#lookAtBuffer())
      this.#guard(() => this.#protocol.connectionMade(this))
      this.#connection.sinkTo({
        data: (bytes) => this.#received(bytes),
        end: () => this.#ended(),
        close: ({ error }) => {
          draining.removeEventListener('abort', close)
          this.#lose = () => {
            this.#isLost = true
            this.#guard(() => this.#protocol.connectionLost(error))
            if (this.#failure === undefined) resolve()
            else reject(this.#failure.error)
          }
          this.#loseWhenReturned()
        },
      })
      // A sink begins to flow when it is attached.
      if (this.#readingPaused) this.#connection.pauseSink()
      if (draining.aborted) this.close()
    })
  }

  /** What a protocol throws ends its connection, and nothing else. */
  #guard(call: () => void): void {
    this.#depth += 1
    try {
      call()
    } catch (error) {
      this.#failure ??= { error }
      this.#isOver = true
      this.#connection.destroy(error)
    } finally {
      this.#depth -= 1
    }
    this.#loseWhenReturned()
  }

  #loseWhenReturned(): void {
    if (this.#depth > 0) return
    const lose = this.#lose
    this.#lose = undefined
    lose?.()
  }

  #received(bytes: Uint8Array): void {
    if (this.#isOver) return
    const own = asBuffer(copyBytes(bytes))
    if (this.#readingPaused || this.#held.length > 0) this.#held.push(own)
    else this.#guard(() => this.#protocol.dataReceived(own))
  }

  #ended(): void {
    if (this.#isOver) return
    if (this.#readingPaused || this.#held.length > 0) {
      this.#heldEnd = true
      return
    }
    this.#guard(() => {
      if (this.#protocol.eofReceived() !== true) this.close()
    })
  }

  #deliverHeld(): void {
    if (this.#delivering) return
    this.#delivering = true
    while (!this.#readingPaused && !this.#isOver) {
      const bytes = this.#held.shift()
      if (bytes === undefined) break
      this.#guard(() => this.#protocol.dataReceived(bytes))
    }
    this.#delivering = false
    if (!this.#heldEnd || this.#readingPaused) return
    this.#heldEnd = false
    this.#ended()
  }

  #lookAtBuffer(): void {
    if (this.#isLost) return
    const { bufferedBytes } = this.#connection
    if (!this.#writingPaused && bufferedBytes > this.#highBytes) {
      this.#writingPaused = true
      this.#guard(() => this.#protocol.pauseWriting())
    } else if (this.#writingPaused && bufferedBytes <= this.#lowBytes) {
      this.#writingPaused = false
      this.#guard(() => this.#protocol.resumeWriting())
    }
  }

  get local(): Address {
    return this.#connection.local
  }

  get remote(): Address {
    return this.#connection.remote
  }

  get tls(): TlsInfo | undefined {
    return this.#connection.tls
  }

  get isClosing(): boolean {
    return this.#connection.isEnding
  }

  get bufferedBytes(): number {
    return this.#connection.bufferedBytes
  }

  write(data: Uint8Array | string): void {
    void this.#connection.write(data)
    this.#lookAtBuffer()
  }

  writeEof(): void {
    void this.#connection.closeWrite()
  }

  pauseReading(): void {
    if (this.#isOver || this.#readingPaused) return
    this.#readingPaused = true
    this.#connection.pauseSink()
  }

  resumeReading(): void {
    if (this.#isOver || !this.#readingPaused) return
    this.#readingPaused = false
    this.#connection.resumeSink()
    this.#deliverHeld()
    // It may have been paused again meanwhile.
    if (this.#readingPaused) this.#connection.pauseSink()
  }

  setWriteBufferLimits({
    highBytes,
    lowBytes = Math.floor(highBytes / 4),
  }: {
    readonly highBytes: number
    readonly lowBytes?: number
  }): void {
    if (!(highBytes >= lowBytes && lowBytes >= 0)) {
      throw new UsageError(
        'ERR_ARGUMENT',
        `Cannot set write buffer limits: highBytes (${highBytes}) must be at least lowBytes (${lowBytes}), and that at least 0`,
      )
    }
    this.#highBytes = highBytes
    this.#lowBytes = lowBytes
    this.#lookAtBuffer()
  }

  close(): void {
    this.#isOver = true
    void this.#connection.close()
  }

  abort(): void {
    this.#isOver = true
    this.#connection.destroy()
  }
}
