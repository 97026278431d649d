import type { Clock } from '../base/clock.js'
import type { ConnectionSettings } from '../transport/connection-options.js'
import type { RawStream } from '../transport/raw-listener.js'
import type { StreamConnection } from '../transport/stream-connection.js'

/** Refusals that are being sent at once; those above are closed without. */
const MAX_SENDING = 256
const REFUSAL_GRACE_MS = 1000

/** Turns streams away, with a line for their peers where there is one to send. */
export class Refusals {
  readonly #text: string
  readonly #connection: ConnectionSettings
  readonly #sending = new Set<StreamConnection>()
  #allSent: (() => void) | undefined

  /** Nothing is sent where `text` is empty. */
  constructor(text: string, connection: ConnectionSettings) {
    this.#text = text
    this.#connection = connection
  }

  refuse(stream: RawStream): void {
    if (this.#text === '' || this.#sending.size >= MAX_SENDING) {
      stream.destroy()
      return
    }
    const connection = stream.open(this.#connection)
    this.#sending.add(connection)
    void connection.write(this.#text)
    void connection.close({ graceMs: REFUSAL_GRACE_MS })
    void connection.closed.then(() => {
      this.#sending.delete(connection)
      if (this.#sending.size === 0) this.#allSent?.()
    })
  }

  /** Resolves when all that are being sent are gone, and cuts those that are not within `graceMs`. */
  async end(graceMs: number, clock: Clock): Promise<void> {
    if (this.#sending.size === 0) return
    const allSent = new Promise<void>((resolve) => {
      this.#allSent = resolve
    })
    const stopCut = clock.after(graceMs, () => this.cut())
    await allSent
    stopCut()
  }

  cut(): void {
    for (const connection of this.#sending) connection.destroy()
  }
}
