import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HEADINGS, ONE, squareRoot, toDirection } from '../../../examples/game/rules/arithmetic.js'
import { createState, step } from '../../../examples/game/rules/simulation.js'
import {
  ARENA_RADIUS,
  cloneState,
  DASH_PERIOD_TICKS,
  DASH_TICKS,
  hash,
  isDashing,
  LASTING_PEARLS,
  MAX_PEARLS,
  MAX_SHIPS,
  MAX_SPEED,
  PEARL_RADIUS,
  SHIP_RADIUS,
  steerOf,
  type GameState,
  type Ship,
} from '../../../examples/game/rules/state.js'
import { madeUp } from './_played.js'

function played(seed: number, ships: number, ticks: number): GameState {
  const state = createState(seed)
  for (let tick = 1; tick <= ticks; tick += 1) step(state, madeUp(seed, ships, tick))
  return state
}

/** A ship that stands there, in a state without others. */
function placed(state: GameState, number: number, values: Partial<Ship>): Ship {
  const ship = { x: 0, y: 0, vx: 0, vy: 0, steer: 0, dash: 0, score: 0, ...values }
  state.ships[number] = ship
  return ship
}

/** Without pearls, so that nothing but the ships counts. */
function emptied(): GameState {
  const state = createState(1)
  for (const pearl of state.pearls) pearl.worth = 0
  return state
}

test('step gives the same state for the same seed and commands, and another for another seed', () => {
  assert.equal(hash(played(7, 40, 600)), hash(played(7, 40, 600)))
  assert.notEqual(hash(played(7, 40, 600)), hash(played(8, 40, 600)))
})

test('step keeps the rules that records were made with', () => {
  // Whoever changes the rules changes this, and the number of the format in recording.ts.
  assert.equal(hash(played(2026, 100, 900)), '01d4674298ca6af0')
})

test('hash tells states apart that differ in one unit of anything', () => {
  const state = played(3, 10, 60)
  const hashes = new Set([hash(state)])
  const number = state.ships.findIndex((ship) => ship !== undefined)
  for (const name of ['x', 'y', 'vx', 'vy', 'steer', 'dash', 'score'] as const) {
    const other = cloneState(state)
    const ship = other.ships[number]
    assert.ok(ship !== undefined)
    ship[name] += 1
    hashes.add(hash(other))
  }
  for (const change of [
    (other: GameState) => (other.tick += 1),
    (other: GameState) => (other.random += 1),
    (other: GameState) => (other.ships[number] = undefined),
    (other: GameState) => Object.assign(other.pearls[0] ?? {}, { worth: 0 }),
    (other: GameState) => Object.assign(other.pearls[0] ?? {}, { x: (other.pearls[0]?.x ?? 0) + 1 }),
  ]) {
    const other = cloneState(state)
    change(other)
    hashes.add(hash(other))
  }
  assert.equal(hashes.size, 13)
})

function checkBounds({ ships, pearls, random }: GameState): void {
  assert.ok(Number.isInteger(random) && random >= 0 && random < 2 ** 32)
  assert.deepEqual([ships.length, pearls.length], [MAX_SHIPS, MAX_PEARLS])
  for (const ship of ships) {
    if (ship === undefined) continue
    for (const value of Object.values(ship)) assert.ok(Number.isSafeInteger(value) && !Object.is(value, -0))
    assert.ok(Math.hypot(ship.x, ship.y) <= ARENA_RADIUS - SHIP_RADIUS)
    assert.ok(Math.abs(ship.vx) <= MAX_SPEED && Math.abs(ship.vy) <= MAX_SPEED)
    assert.ok(ship.dash >= 0 && ship.dash <= DASH_PERIOD_TICKS && ship.score >= 0)
  }
  for (const [index, { x, y, worth }] of pearls.entries()) {
    if (worth === 0) assert.ok(index >= LASTING_PEARLS)
    else assert.ok(Math.hypot(x, y) <= ARENA_RADIUS - PEARL_RADIUS)
  }
}

test('step keeps every ship, speed and pearl within its bounds, whatever the commands', () => {
  const ship = fc.integer({ min: -1, max: MAX_SHIPS })
  const command = fc.oneof(
    fc.record({ type: fc.constantFrom('join' as const, 'leave' as const), ship }),
    fc.record({ type: fc.constant('steer' as const), ship, steer: fc.integer({ min: 0, max: 255 }) }),
  )
  const ticks = fc.array(fc.array(command, { maxLength: 20 }), { maxLength: 60 })
  fc.assert(
    fc.property(fc.nat(), ticks, (seed, list) => {
      const state = createState(seed)
      // All in a heap: nothing pushes harder.
      for (let number = 0; number < 30; number += 1) placed(state, number, { vx: MAX_SPEED, vy: -MAX_SPEED, score: 9 })
      for (const commands of list) {
        step(state, commands)
        checkBounds(state)
      }
    }),
    { numRuns: 60 },
  )
})

test('a full arena stays within its bounds for a minute', () => {
  const state = createState(5)
  for (let tick = 1; tick <= 1800; tick += 1) {
    step(state, madeUp(5, MAX_SHIPS, tick))
    if (tick % 30 === 0) checkBounds(state)
  }
})

test('a ship comes to rest by itself, and one that thrusts has a greatest speed', () => {
  const state = emptied()
  const ship = placed(state, 0, { steer: steerOf(0, true, false), x: -30_000 })
  for (let tick = 0; tick < 120; tick += 1) step(state, [])
  const { vx } = ship
  assert.ok(vx > 300 && vx < 500)
  step(state, [])
  assert.equal(ship.vx, vx)
  ship.steer = 0
  for (let tick = 0; tick < 120; tick += 1) step(state, [])
  assert.deepEqual([ship.vx, ship.vy, ship.y], [0, 0, 0])
})

test('a dash lasts for its ticks, and begins again behind its period at the earliest', () => {
  const state = emptied()
  const ship = placed(state, 0, { steer: steerOf(0, false, true) })
  const dashes: boolean[] = []
  for (let tick = 0; tick < DASH_PERIOD_TICKS + 2; tick += 1) {
    step(state, [])
    dashes.push(isDashing(ship))
  }
  const period = (length: number, dash: boolean): boolean[] => Array.from({ length }, () => dash)
  assert.deepEqual(dashes, [...period(DASH_TICKS, true), ...period(DASH_PERIOD_TICKS + 1 - DASH_TICKS, false), true])
})

test('ships that meet head on exchange their speeds, and lose none', () => {
  const state = emptied()
  const [one, other] = [placed(state, 0, { x: -1200, vx: 500 }), placed(state, 1, { x: 1200, vx: -500 })]
  for (let tick = 0; tick < 3; tick += 1) step(state, [])
  assert.ok(one.vx < 0 && other.vx > 0)
  assert.equal(one.vx, -other.vx)
  assert.equal(one.score + other.score, 0)
})

test('a ship that is hit by one that dashes loses pearls, which lie around it; who dashes loses none', () => {
  const state = emptied()
  const hit = placed(state, 1, { x: 2500, score: 10 })
  const dashing = placed(state, 0, { steer: steerOf(0, true, true), vx: 500, score: 10 })
  for (let tick = 0; tick < 6; tick += 1) step(state, [])
  assert.deepEqual([hit.score, dashing.score], [4, 10])
  const lost = state.pearls.filter(({ worth }) => worth > 0)
  assert.equal(lost.length, 6)
  for (const { x, y } of lost) assert.ok(Math.hypot(x - hit.x, y - hit.y) < 8 * SHIP_RADIUS)
})

test('a pearl is worth what it says to the ship that reaches it, and comes again elsewhere', () => {
  const state = emptied()
  const ship = placed(state, 0, {})
  Object.assign(state.pearls[0] ?? {}, { x: SHIP_RADIUS + PEARL_RADIUS, y: 0, worth: 5 })
  Object.assign(state.pearls[1] ?? {}, { x: -SHIP_RADIUS - PEARL_RADIUS - 1, y: 0, worth: 1 })
  Object.assign(state.pearls[LASTING_PEARLS] ?? {}, { x: 0, y: 0, worth: 1 })
  step(state, [])
  assert.equal(ship.score, 6)
  assert.deepEqual(
    [0, 1, LASTING_PEARLS].map((index) => state.pearls[index]?.worth),
    [5, 1, 0],
  )
  assert.notEqual(state.pearls[0]?.x, SHIP_RADIUS + PEARL_RADIUS)
})

test('toDirection gives each heading its direction, all of one length', () => {
  for (let heading = 0; heading < HEADINGS; heading += 1) {
    const [x, y] = toDirection(heading)
    const angle = (heading / HEADINGS) * 2 * Math.PI
    assert.ok(Math.abs(x - ONE * Math.cos(angle)) <= 1 && Math.abs(y - ONE * Math.sin(angle)) <= 1, `${heading}`)
    assert.ok(!Object.is(x, -0) && !Object.is(y, -0))
  }
})

test('squareRoot is exact, on squares and beside them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 90_000_000 }), (root) => {
      assert.deepEqual(
        [-1, 0, 1].map((more) => squareRoot(root * root + more)),
        [root - 1, root, root],
      )
    }),
  )
  assert.equal(squareRoot(0), 0)
})
