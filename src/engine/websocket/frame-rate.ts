import { POLICY_VIOLATION } from './close.js'
import type { WebSocketLimits } from './options.js'
import { refuseLimit } from './refuse.js'

const SECOND_MS = 1000

/** Counts the frames of one peer, second by second; a second begins with the first frame behind the last one. */
export class FrameRate {
  readonly #limits: WebSocketLimits
  #since = -Infinity
  #frames = 0
  #controls = 0

  constructor(limits: WebSocketLimits) {
    this.#limits = limits
  }

  /** @throws LimitError `ERR_WEBSOCKET_FRAME_RATE`. */
  count(isControl: boolean, nowMs: number): void {
    if (nowMs - this.#since >= SECOND_MS) {
      this.#since = nowMs
      this.#frames = 0
      this.#controls = 0
    }
    this.#frames += 1
    if (isControl) this.#controls += 1
    const { maxFramesPerSecond, maxControlFramesPerSecond } = this.#limits
    if (this.#frames > maxFramesPerSecond) throw tooMany('frames', maxFramesPerSecond)
    if (this.#controls > maxControlFramesPerSecond) throw tooMany('control frames', maxControlFramesPerSecond)
  }
}

const tooMany = (what: string, limit: number): Error =>
  refuseLimit(
    'ERR_WEBSOCKET_FRAME_RATE',
    `Cannot read on: more than ${limit} ${what} came in a second`,
    POLICY_VIOLATION,
    limit,
  )
