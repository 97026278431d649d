import type { Address } from './address.js'
import type { Connection } from './connection.js'

/** Accepts connections on one address. All listeners pass one contract suite (`moorage/testing`, `listenerContract`). */
export interface Listener extends AsyncIterable<Connection>, AsyncDisposable {
  /** The real address: port 0 became the one the system chose. */
  readonly local: Address
  /** The same as an endpoint: `tcp://127.0.0.1:43210`. */
  readonly endpoint: string
  /** The next connection, ready to use: its PROXY header was read and its TLS handshake is done; `null` once closed. */
  accept(): Promise<Connection | null>
  /** Stops listening. Connections that were accepted stay open; those nobody took are destroyed. Idempotent. */
  close(): Promise<void>
}
