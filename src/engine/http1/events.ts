/** The message is whole, and the other direction is to be done with it before the next one is read. */
export interface Paused {
  readonly type: 'paused'
}
/** What comes now is of another protocol: `takeRest` has its first bytes. */
export interface Switched {
  readonly type: 'switched'
}

export const PAUSED: Paused = Object.freeze({ type: 'paused' })
export const SWITCHED_AWAY: Switched = Object.freeze({ type: 'switched' })
