// What a game is at one tick, and its measures.
import { mix } from './arithmetic.js'

export const TICKS_PER_SECOND = 30
/** Positions are in 64ths of a point, and speeds in those a tick. */
export const UNITS_PER_POINT = 64
export const ARENA_RADIUS = 1000 * UNITS_PER_POINT
export const SHIP_RADIUS = 15 * UNITS_PER_POINT
export const PEARL_RADIUS = 5 * UNITS_PER_POINT
export const MAX_SHIPS = 128
/** Those that come again elsewhere when they are taken; the places behind them are for pearls that ships lose. */
export const LASTING_PEARLS = 180
export const MAX_PEARLS = 260
/** No part of a speed is more: a bump can add the speeds of two. */
export const MAX_SPEED = 24 * UNITS_PER_POINT

/** A dash lasts for the first of these ticks; it can be begun again behind the last. */
export const DASH_TICKS = 9
export const DASH_PERIOD_TICKS = 60

export interface Ship {
  x: number
  y: number
  vx: number
  vy: number
  /** How it is steered: see `steerOf`. */
  steer: number
  /** Ticks until it can dash again; it dashes while more than the difference of the two constants are left. */
  dash: number
  score: number
}

export interface Pearl {
  x: number
  y: number
  /** 0 when there is none. */
  worth: number
}

export interface GameState {
  tick: number
  random: number
  readonly ships: (Ship | undefined)[]
  readonly pearls: Pearl[]
}

/** What happens to a ship at the beginning of a tick; `ship` is a number below `MAX_SHIPS`. */
export type Command =
  | { readonly type: 'join' | 'leave'; readonly ship: number }
  /** From now on, until another comes. */
  | { readonly type: 'steer'; readonly ship: number; readonly steer: number }

const THRUSTS = 64
const DASHES = 128

/** A byte: the heading in its lower six bits, then whether it thrusts, then whether it wants to dash. */
export const steerOf = (heading: number, thrust: boolean, dash: boolean): number =>
  (heading & 63) | (thrust ? THRUSTS : 0) | (dash ? DASHES : 0)

export const headingOf = (steer: number): number => steer & 63
export const thrusts = (steer: number): boolean => (steer & THRUSTS) !== 0
export const wantsDash = (steer: number): boolean => (steer & DASHES) !== 0
export const isDashing = (ship: Ship): boolean => ship.dash > DASH_PERIOD_TICKS - DASH_TICKS

/** Without ships and pearls. */
export const emptyState = (random: number): GameState => ({
  tick: 0,
  random: random >>> 0,
  ships: Array.from({ length: MAX_SHIPS }, () => undefined),
  pearls: Array.from({ length: MAX_PEARLS }, () => ({ x: 0, y: 0, worth: 0 })),
})

export function cloneState({ tick, random, ships, pearls }: GameState): GameState {
  return {
    tick,
    random,
    ships: ships.map((ship) => (ship === undefined ? undefined : { ...ship })),
    pearls: pearls.map((pearl) => ({ ...pearl })),
  }
}

/** 64 bits of everything, as 16 hexadecimal digits. */
export function hash(state: GameState): string {
  let [high, low] = [0x811c9dc5, 0x01000193]
  const add = (word: number): void => {
    high = mix(high ^ word)
    low = mix(low + Math.imul(word, 0x9e3779b1))
  }
  add(state.tick)
  add(state.random)
  for (const [number, ship] of state.ships.entries()) {
    if (ship === undefined) continue
    add(number)
    for (const value of [ship.x, ship.y, ship.vx, ship.vy, ship.steer, ship.dash, ship.score]) add(value)
  }
  for (const { x, y, worth } of state.pearls) {
    add(worth)
    // Where a pearl was that is gone is nobody's matter.
    if (worth === 0) continue
    add(x)
    add(y)
  }
  return hexadecimal(high) + hexadecimal(low)
}

const hexadecimal = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
