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
  for (const [index, pearl] of state.pearls.entries()) {
    if (pearl.worth === 0) continue
    const dx = pearl.x - ship.x
    const dy = pearl.y - ship.y
    if (dx > reach || dx < -reach || dx * dx + dy * dy > reach * reach) continue
    ship.score += pearl.worth
    if (index < LASTING_PEARLS) placePearl(state, index)
    else pearl.worth = 0
  }
}

export function placePearl(state: GameState, index: number): void {
  const worth = index % 20 === 0 ? GOLD_WORTH : 1
  state.pearls[index] = { ...somewhere(state, PEARL_RADIUS), worth }
}
