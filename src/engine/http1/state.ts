import { UsageError } from '../../base/errors.js'

/** Where one direction of a connection stands. The other direction has a state of its own. */
export type Side = typeof IDLE | typeof BODY | typeof DONE | typeof SWITCHED | typeof CLOSED

/** Between two messages. */
export const IDLE = 0
/** A head has gone by, and its body has not ended. */
export const BODY = 1
/** The message is whole; the next may come when the other direction is done too. */
export const DONE = 2
/** What comes now is of another protocol. */
export const SWITCHED = 3
/** Nothing comes any more. */
export const CLOSED = 4

export const SIDE_NAMES: readonly string[] = ['idle', 'body', 'done', 'switched', 'closed']

type Row = readonly [idle: Side | -1, body: Side | -1, done: Side | -1, switched: Side | -1, closed: Side | -1]

/**
 * RFC 9112 as one table, for requests and responses, in both roles: for each step, what each state becomes, or -1 where
 * the step is a mistake of the caller. A server's receiving side and a client's sending side go through it with
 * requests, the other two with responses.
 */
export const STEPS: {
  readonly head: Row
  readonly end: Row
  readonly next: Row
  readonly switch: Row
  readonly close: Row
} = {
  head: [BODY, -1, -1, -1, -1],
  end: [-1, DONE, -1, -1, -1],
  next: [-1, -1, IDLE, -1, -1],
  switch: [-1, SWITCHED, SWITCHED, -1, -1],
  close: [CLOSED, CLOSED, CLOSED, CLOSED, CLOSED],
}

/** @throws UsageError `ERR_STATE`. */
export function after(side: Side, step: Row, what: string): Side {
  const next = step[side]
  if (next === -1)
    throw new UsageError('ERR_STATE', `Cannot ${what}: the message is in the state "${SIDE_NAMES[side] ?? ''}"`)
  return next
}
