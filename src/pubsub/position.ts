import { UsageError } from '../base/errors.js'

/**
 * Where a message stands in its room: the first one has offset 1, and 0 is before it. Offsets count within an epoch; a
 * room that was forgotten and made anew has another one, and positions of different epochs cannot be compared.
 */
export interface Position {
  readonly epoch: string
  readonly offset: number
}

const EPOCH = /^[\w-]{1,64}$/
const WRITTEN = /^([\w-]{1,64}):(0|[1-9]\d{0,15})$/

/** A position as text, for a client that will come back with it: `k3x9…:42`. */
export const formatPosition = ({ epoch, offset }: Position): string => `${epoch}:${offset}`

/** The position that a client came back with, or `undefined` for what is none. */
export function tryParsePosition(text: string): Position | undefined {
  const [, epoch, digits] = WRITTEN.exec(text) ?? []
  const offset = Number(digits)
  return epoch === undefined || !Number.isSafeInteger(offset) ? undefined : { epoch, offset }
}

/** @throws UsageError `ERR_ARGUMENT`. */
export function checkPosition(given: Position): Position {
  const { epoch, offset } = given
  if (EPOCH.test(epoch) && Number.isSafeInteger(offset) && offset >= 0) return given
  throw new UsageError('ERR_ARGUMENT', 'Cannot use the position: expected { epoch, offset } as a room gave them')
}
