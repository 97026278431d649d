import { formatAddress } from '../../transport/address.js'
import type { ConnectionSettings } from '../../transport/connection-options.js'
import { needsNothing, prepareConnection, type Preparation } from '../../transport/prepare.js'
import type { RawStream } from '../../transport/raw-listener.js'
import type { StreamConnection } from '../../transport/stream-connection.js'
import { exactCopy } from './exact-copy.js'
import { toPlainError, type BridgeMessage, type ToWorker } from './messages.js'

/** Bytes under way to the other thread that it has not consumed: above that the socket is not read. */
export const BRIDGE_WINDOW_BYTES: number = 256 * 1024

interface Bridge {
  readonly id: number
  readonly connection: StreamConnection
  readonly send: (message: ToWorker) => void
  readonly over: () => void
  inFlight: number
  /** Bytes written to the connection that it has not flushed: credited to the worker when it has. */
  unflushed: number
}

/**
 * The parent's end of connections whose sockets cannot move to a thread: it reads and writes them, and the bytes travel
 * as messages, at most a window of them at a time. TLS and PROXY headers are done here.
 */
export class BridgeHub {
  readonly #settings: ConnectionSettings
  readonly #preparation: Preparation
  readonly #failed: (error: unknown, remote: string) => void
  readonly #bridges = new Map<number, Bridge>()

  constructor(
    settings: ConnectionSettings,
    preparation: Preparation,
    failed: (error: unknown, remote: string) => void,
  ) {
    this.#settings = settings
    this.#preparation = preparation
    this.#failed = failed
  }

  /** `over` is called when the connection could not be prepared, and so never reached the worker. */
  open(id: number, stream: RawStream, send: (message: ToWorker) => void, over: () => void): void {
    const connection = stream.open(this.#settings)
    const bridge: Bridge = { id, connection, send, over, inFlight: 0, unflushed: 0 }
    this.#bridges.set(id, bridge)
    if (needsNothing(this.#preparation)) {
      this.#begin(bridge)
      return
    }
    prepareConnection(connection, this.#preparation).then(
      () => this.#begin(bridge),
      (error: unknown) => {
        this.#bridges.delete(id)
        this.#failed(error, formatAddress(connection.remote))
        over()
      },
    )
  }

  #begin(bridge: Bridge): void {
    const { id, connection, send } = bridge
    send({
      type: 'bridge',
      id,
      remote: connection.remote,
      local: connection.local,
      tls: connection.tls,
      proxy: connection.proxy,
    })
    connection.sinkTo({
      data: (bytes) => {
        bridge.inFlight += bytes.length
        if (bridge.inFlight >= BRIDGE_WINDOW_BYTES) connection.pauseSink()
        send({ type: 'bytes', id, bytes: exactCopy(bytes) })
      },
      end: () => send({ type: 'end', id }),
      drain: () => this.#credit(bridge),
      close: ({ error }) => {
        if (this.#bridges.delete(id))
          send({ type: 'gone', id, error: error === undefined ? undefined : toPlainError(error) })
      },
    })
  }

  receive(message: BridgeMessage): void {
    const bridge = this.#bridges.get(message.id)
    if (bridge === undefined) return
    const { connection } = bridge
    switch (message.type) {
      case 'bytes':
        bridge.unflushed += message.bytes.length
        if (connection.writeNow(message.bytes, false)) this.#credit(bridge)
        return
      case 'credit':
        bridge.inFlight -= message.bytes
        if (bridge.inFlight < BRIDGE_WINDOW_BYTES / 2) connection.resumeSink()
        return
      case 'end':
        void connection.closeWrite().then(() => bridge.send({ type: 'ended-writing', id: bridge.id }))
        return
      case 'gone':
        this.#bridges.delete(message.id)
        connection.destroy()
    }
  }

  #credit(bridge: Bridge): void {
    if (bridge.unflushed === 0) return
    bridge.send({ type: 'credit', id: bridge.id, bytes: bridge.unflushed })
    bridge.unflushed = 0
  }

  /** The worker is gone. */
  lost(id: number, error: Error): void {
    const bridge = this.#bridges.get(id)
    this.#bridges.delete(id)
    bridge?.connection.destroy(error)
  }
}
