import { below, pullInside, somewhere } from './arena.js'
import { divide, ONE, toDirection } from './arithmetic.js'
import {
  ARENA_RADIUS,
  LASTING_PEARLS,
  MAX_PEARLS,
  PEARL_RADIUS,
  SHIP_RADIUS,
  type GameState,
  type Ship,
} from './state.js'

const MAX_LOST = 6
const GOLD_WORTH = 5

/** They lie around it, outside of its own reach; one for which there is no place is lost for good. */
export function losePearls(state: GameState, ship: Ship): void {
  const lost = Math.min(ship.score, MAX_LOST)
  ship.score -= lost
  let left = lost
  for (let index = LASTING_PEARLS; index < MAX_PEARLS && left > 0; index += 1) {
    const pearl = state.pearls[index]
    if (pearl === undefined || pearl.worth !== 0) continue
    const [dx, dy] = toDirection(below(state, 64))
    const away = 3 * SHIP_RADIUS + below(state, 2 * SHIP_RADIUS)
    const place = { x: ship.x + divide(dx * away, ONE), y: ship.y + divide(dy * away, ONE) }
    pullInside(place, ARENA_RADIUS - PEARL_RADIUS)
    Object.assign(pearl, place, { worth: 1 })
    left -= 1
  }
}

export function collect(state: GameState, ship: Ship): void {
  const reach = SHIP_RADIUS + PEARL_RADIUS
  const { pearls } = state
  // The place is looked at first: of the thousands that are asked for in a tick, few are near.
  for (let index = 0; index < pearls.length; index += 1) {
    const pearl = pearls[index]
    if (pearl === undefined) continue
    const dx = pearl.x - ship.x
    if (dx > reach || dx < -reach) continue
    const dy = pearl.y - ship.y
    if (pearl.worth === 0 || dx * dx + dy * dy > reach * reach) continue
    ship.score += pearl.worth
    if (index < LASTING_PEARLS) placePearl(state, index)
    else pearl.worth = 0
  }
}

export function placePearl(state: GameState, index: number): void {
  const { x, y } = somewhere(state, PEARL_RADIUS)
  state.pearls[index] = { x, y, worth: index % 20 === 0 ? GOLD_WORTH : 1 }
}
