// The rules, the same on the server, in a replay and in a browser: whoever begins with the same seed and gives the same
// commands at the same ticks has the same state. Nothing here reads a clock, draws chance or waits.
import { pullInside, somewhere } from './arena.js'
import { clamp, divide, ONE, squareRoot, toDirection } from './arithmetic.js'
import { collect, losePearls, placePearl } from './pearls.js'
import {
  ARENA_RADIUS,
  DASH_PERIOD_TICKS,
  emptyState,
  headingOf,
  isDashing,
  LASTING_PEARLS,
  MAX_SHIPS,
  MAX_SPEED,
  SHIP_RADIUS,
  thrusts,
  UNITS_PER_POINT,
  wantsDash,
  type Command,
  type GameState,
  type Ship,
} from './state.js'

const THRUST = 30
const DASH_THRUST = 110
/** So much of the speed is lost in a tick: one part in sixteen, and one unit. */
const DRAG = 16
/** How fast two come together where the one that dashes makes the other lose pearls. */
const HARD_BUMP = 5 * UNITS_PER_POINT

export function createState(seed: number): GameState {
  const state = emptyState(seed)
  for (let index = 0; index < LASTING_PEARLS; index += 1) placePearl(state, index)
  return state
}

/** One tick, in place. Commands for ships that are not there are passed over. */
export function step(state: GameState, commands: readonly Command[]): void {
  state.tick += 1
  for (const command of commands) obey(state, command)
  const there: Ship[] = []
  for (const ship of state.ships) if (ship !== undefined) there.push(ship)
  for (const ship of there) move(ship)
  for (let first = 0; first < there.length; first += 1) {
    const one = there[first]
    if (one === undefined) continue
    for (let second = first + 1; second < there.length; second += 1) {
      const other = there[second]
      if (other !== undefined && Math.abs(other.x - one.x) < 2 * SHIP_RADIUS) bump(state, one, other)
    }
  }
  for (const ship of there) {
    stayInside(ship)
    collect(state, ship)
  }
}

function obey(state: GameState, command: Command): void {
  const { ship: number } = command
  if (number < 0 || number >= MAX_SHIPS) return
  const ship = state.ships[number]
  switch (command.type) {
    case 'join':
      state.ships[number] = launch(state)
      return
    case 'leave':
      state.ships[number] = undefined
      return
    case 'steer':
      if (ship !== undefined) ship.steer = command.steer & 255
  }
}

function launch(state: GameState): Ship {
  const { x, y } = somewhere(state, SHIP_RADIUS)
  return { x, y, vx: 0, vy: 0, steer: 0, dash: 0, score: 0 }
}

function move(ship: Ship): void {
  if (ship.dash > 0) ship.dash -= 1
  else if (wantsDash(ship.steer)) ship.dash = DASH_PERIOD_TICKS
  const dashes = isDashing(ship)
  ship.vx = slowed(ship.vx)
  ship.vy = slowed(ship.vy)
  if (dashes || thrusts(ship.steer)) {
    const [dx, dy] = toDirection(headingOf(ship.steer))
    const thrust = dashes ? DASH_THRUST : THRUST
    ship.vx = clamp(ship.vx + divide(dx * thrust, ONE), MAX_SPEED)
    ship.vy = clamp(ship.vy + divide(dy * thrust, ONE), MAX_SPEED)
  }
  ship.x += ship.vx
  ship.y += ship.vy
}

const slowed = (speed: number): number => speed - divide(speed, DRAG) - Math.sign(speed)

/** Two ships of one weight: they part, and exchange what of their speeds is along the line between them. */
function bump(state: GameState, one: Ship, other: Ship): void {
  const dx = other.x - one.x
  const dy = other.y - one.y
  const least = 2 * SHIP_RADIUS
  if (Math.abs(dy) >= least) return
  const square = dx * dx + dy * dy
  if (square >= least * least) return
  const distance = squareRoot(square)
  // Two in the very same place part to the sides.
  const nx = distance === 0 ? ONE : divide(dx * ONE, distance)
  const ny = distance === 0 ? 0 : divide(dy * ONE, distance)
  const overlap = divide(least - distance + 1, 2)
  const [px, py] = [divide(nx * overlap, ONE), divide(ny * overlap, ONE)]
  one.x -= px
  one.y -= py
  other.x += px
  other.y += py
  const closing = divide((one.vx - other.vx) * nx + (one.vy - other.vy) * ny, ONE)
  if (closing <= 0) return
  const [ix, iy] = [divide(nx * closing, ONE), divide(ny * closing, ONE)]
  one.vx = clamp(one.vx - ix, MAX_SPEED)
  one.vy = clamp(one.vy - iy, MAX_SPEED)
  other.vx = clamp(other.vx + ix, MAX_SPEED)
  other.vy = clamp(other.vy + iy, MAX_SPEED)
  if (closing < HARD_BUMP) return
  const [oneDashes, otherDashes] = [isDashing(one), isDashing(other)]
  if (oneDashes && !otherDashes) losePearls(state, other)
  if (otherDashes && !oneDashes) losePearls(state, one)
}

/** The wall throws a ship back, and takes half of the speed. */
function stayInside(ship: Ship): void {
  const normal = pullInside(ship, ARENA_RADIUS - SHIP_RADIUS)
  if (normal === undefined) return
  const [nx, ny] = normal
  const outwards = divide(ship.vx * nx + ship.vy * ny, ONE)
  if (outwards <= 0) return
  ship.vx = clamp(ship.vx - divide(nx * outwards * 3, 2 * ONE), MAX_SPEED)
  ship.vy = clamp(ship.vy - divide(ny * outwards * 3, 2 * ONE), MAX_SPEED)
}
