import { divide, mix, nextRandom, ONE, squareRoot } from './arithmetic.js'
import { ARENA_RADIUS, type GameState } from './state.js'

/** Brings what is outside of a circle back to it; gives the direction in which it was outside. */
export function pullInside(place: { x: number; y: number }, radius: number): readonly [number, number] | undefined {
  const { x, y } = place
  const square = x * x + y * y
  if (square <= radius * radius) return undefined
  // One more than the whole part: what is divided by it does not end outside.
  const distance = squareRoot(square) + 1
  place.x = divide(x * radius, distance)
  place.y = divide(y * radius, distance)
  return [divide(x * ONE, distance), divide(y * ONE, distance)]
}

/** A place in the arena, so far from the wall. Three in four draws hit it; the middle will do when sixteen do not. */
export function somewhere(state: GameState, margin: number): { x: number; y: number } {
  const radius = ARENA_RADIUS - margin
  for (let attempt = 0; attempt < 16; attempt += 1) {
    const x = below(state, 2 * radius + 1) - radius
    const y = below(state, 2 * radius + 1) - radius
    if (x * x + y * y <= radius * radius) return { x, y }
  }
  return { x: 0, y: 0 }
}

export function below(state: GameState, count: number): number {
  state.random = nextRandom(state.random)
  return mix(state.random) % count
}
