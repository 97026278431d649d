import { UsageError } from '../base/errors.js'
import { checkPosition, type Position } from './position.js'
import type { Gap, HistoryOptions, HistoryPage, RoomMessage, SubscribeOptions } from './room.js'

/** What history gives to one who comes: messages up to `gapUntil` are lost, then these, then what is behind `head`. */
export interface Replay {
  readonly gapUntil: Position | undefined
  readonly messages: readonly RoomMessage[]
  readonly head: Position
}

export function gapBetween(room: string, after: Position, until: Position): Gap {
  const isKnown = after.epoch === until.epoch && until.offset >= after.offset
  return { room, after, until, missed: isKnown ? until.offset - after.offset : undefined }
}

/** Where a subscription stands before the first message that it gets. */
export function startOf({ from }: SubscribeOptions, { messages, head }: Replay): Position {
  return from ?? { epoch: head.epoch, offset: head.offset - messages.length }
}

/** @throws UsageError `ERR_ARGUMENT`. */
export function checkSubscribeOptions({ from, last }: SubscribeOptions): void {
  if (from !== undefined) checkPosition(from)
  if (last === undefined) return
  if (from !== undefined) throw new UsageError('ERR_ARGUMENT', 'Cannot subscribe: give "from" or "last", not both')
  checkCount('last', last)
}

/** @throws UsageError `ERR_ARGUMENT`. */
export function checkHistoryOptions({ after, maxMessages }: HistoryOptions): void {
  if (after !== undefined) checkPosition(after)
  if (maxMessages !== undefined) checkCount('maxMessages', maxMessages)
}

function checkCount(name: string, value: number): void {
  if (value !== Infinity && !(Number.isSafeInteger(value) && value >= 0))
    throw new UsageError('ERR_ARGUMENT', `Cannot use ${name}: expected a whole number from 0 up, or Infinity`)
}

/** History as it is given to whoever asked for it. */
export function toHistoryPage(
  room: string,
  { after }: HistoryOptions,
  { gapUntil, messages, head }: Replay,
): HistoryPage {
  const gap = after === undefined || gapUntil === undefined ? undefined : gapBetween(room, after, gapUntil)
  return { messages, gap, head }
}
