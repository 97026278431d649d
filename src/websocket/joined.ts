import { concatBytes } from '../base/bytes.js'

/** Who has frames that go out when this turn is over. */
export interface Joiner {
  flushHeld(): void
}

/** One for all peers of this thread. */
const turn: { joiners: Joiner[] | undefined } = { joiners: undefined }

/** Calls `flushHeld` when the code that runs now is over: what came in one read, or in one tick, goes out in one write. */
export function flushSoon(joiner: Joiner): void {
  if (turn.joiners === undefined) {
    turn.joiners = []
    queueMicrotask(flushAll)
  }
  turn.joiners.push(joiner)
}

function flushAll(): void {
  const { joiners = [] } = turn
  turn.joiners = undefined
  for (const joiner of joiners) joiner.flushHeld()
  last.frames = []
  last.bytes = undefined
}

/** The same frames go to many: they are joined once. */
const last: { frames: readonly Uint8Array[]; bytes: Uint8Array | undefined } = { frames: [], bytes: undefined }

/** The frames one after the other; not to be changed by anyone. */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  if (last.bytes === undefined || !isSame(frames, last.frames)) {
    last.frames = frames
    last.bytes = concatBytes(frames)
  }
  return last.bytes
}

function isSame(left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean {
  if (left.length !== right.length) return false
  for (let i = 0; i < left.length; i += 1) if (left[i] !== right[i]) return false
  return true
}
