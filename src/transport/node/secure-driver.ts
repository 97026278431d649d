import { Duplex } from 'node:stream'
import type { StreamDriver, StreamDriverEvents, TlsStart } from '../stream-driver.js'
import { SocketDriver } from './socket-driver.js'
import { secureSocket } from './start-tls.js'

/** A driver's bytes as a stream, for what takes streams only: Node's TLS. Nobody else attaches to the driver any more. */
class DriverStream extends Duplex implements StreamDriverEvents {
  readonly #driver: StreamDriver
  #flushed: (() => void) | undefined

  constructor(driver: StreamDriver, unread: Uint8Array) {
    super({ allowHalfOpen: true })
    this.#driver = driver
    driver.attach(this)
    if (unread.length > 0) this.push(unread)
  }

  override _read(): void {
    this.#driver.resume()
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    if (this.#driver.write(chunk)) done()
    else this.#flushed = done
  }

  override _final(done: () => void): void {
    this.#driver.endWriting(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#driver.destroy()
    done(error)
  }

  driverData(bytes: Uint8Array, borrowed: boolean): void {
    if (!this.push(borrowed ? Buffer.from(bytes) : bytes)) this.#driver.pause()
  }

  driverEnd(): void {
    this.push(null)
  }

  driverDrain(): void {
    const flushed = this.#flushed
    this.#flushed = undefined
    flushed?.()
  }

  driverClose(error: Error | undefined): void {
    this.destroy(error)
  }
}

/**
 * TLS over a driver that has no socket in this thread: the handshake and the records are done here. When it fails,
 * `events` hears that the connection is gone.
 */
export async function secureDriver(
  driver: StreamDriver,
  events: StreamDriverEvents | undefined,
  options: TlsStart,
  unread: Uint8Array,
): Promise<StreamDriver> {
  const { remote, local } = driver
  try {
    const below = new DriverStream(driver, unread)
    const secured = await secureSocket(below, options)
    // A server's handshake takes the peer's end for the end of both; from now on each half ends by itself.
    below.allowHalfOpen = true
    return new SocketDriver(remote, local).driveTls(secured, options)
  } catch (error) {
    events?.driverClose(error instanceof Error ? error : undefined)
    throw error
  }
}
