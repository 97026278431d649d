/**
 * What became of messages that were given to `send` or published. Each that was accepted ends in exactly one of the other
 * three; what is left is on its way.
 */
export interface MessageCounts {
  readonly accepted: number
  /** Taken by the system, whole: behind that nobody knows more without an answer of the peer. */
  readonly delivered: number
  /** By the policy for slow readers: the queue was full (`drop`), or a newer one took its place (`latest`). */
  readonly dropped: number
  /** The connection was gone, or was closed, before the system had taken it. */
  readonly failed: number
}

/** Those of one peer, and of all of a server together: each is counted in both. */
export class MessageCounters implements MessageCounts {
  accepted = 0
  delivered = 0
  dropped = 0
  failed = 0
  readonly #all: MessageCounters | undefined

  constructor(all?: MessageCounters) {
    this.#all = all
  }

  accept(): void {
    this.accepted += 1
    this.#all?.accept()
  }

  deliver(count: number): void {
    this.delivered += count
    this.#all?.deliver(count)
  }

  drop(count: number): void {
    this.dropped += count
    this.#all?.drop(count)
  }

  fail(count: number): void {
    this.failed += count
    this.#all?.fail(count)
  }

  /** As they are now. */
  snapshot(): MessageCounts {
    const { accepted, delivered, dropped, failed } = this
    return { accepted, delivered, dropped, failed }
  }
}
