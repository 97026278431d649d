// A delta tells of a tick what is different from what follows by itself of the tick before: that a ship goes on as fast as
// it was, that its dash wears off, and that one more of its player's inputs was used.
import { ByteReader, ByteWriter } from './bytes.js'
import { readPearl, writePearl } from './snapshot.js'
import { MAX_PEARLS, MAX_SHIPS, type GameState, type Ship } from './state.js'
import type { Player, View } from './view.js'

export const DELTA = 2

const PLACE = 1
const SPEED = 2
const STEER = 4
const DASH = 8
const SCORE = 16
const ACK = 32
const LATENCY = 64
const STANDING: Ship = { x: 0, y: 0, vx: 0, vy: 0, steer: 0, dash: 0, score: 0 }
const NEW: Player = { name: '', ack: 0, latencyMs: 0 }

/** From `before` to `after`, which is one tick later. */
export function encodeDelta(before: View, after: View): Uint8Array {
  const writer = new ByteWriter()
  writer.byte(DELTA)
  writer.count(after.state.tick)
  writer.count(after.state.random)
  const { ships } = after.state
  for (const [number, ship] of ships.entries()) {
    const was = before.state.ships[number]
    if (was !== undefined && ship === undefined) writer.byte(number)
  }
  writer.byte(MAX_SHIPS)
  for (const [number, ship] of ships.entries()) {
    if (ship === undefined || before.state.ships[number] !== undefined) continue
    writer.byte(number)
    writer.text(after.players[number]?.name ?? '')
  }
  writer.byte(MAX_SHIPS)
  for (const [number, ship] of ships.entries()) {
    if (ship === undefined) continue
    const was = before.state.ships[number]
    const player = was === undefined ? NEW : (before.players[number] ?? NEW)
    writeShip(writer, number, [was ?? STANDING, player], [ship, after.players[number] ?? NEW])
  }
  writer.byte(MAX_SHIPS)
  writePearls(writer, before.state, after.state)
  return writer.finish()
}

type Steered = readonly [ship: Ship, player: Player]

function writeShip(writer: ByteWriter, number: number, [was, old]: Steered, [ship, player]: Steered): void {
  const parts =
    (ship.x !== was.x + ship.vx || ship.y !== was.y + ship.vy ? PLACE : 0) |
    (ship.vx !== was.vx || ship.vy !== was.vy ? SPEED : 0) |
    (ship.steer !== was.steer ? STEER : 0) |
    (ship.dash !== wornOff(was.dash) ? DASH : 0) |
    (ship.score !== was.score ? SCORE : 0) |
    (player.ack !== old.ack + 1 ? ACK : 0) |
    (player.latencyMs !== old.latencyMs ? LATENCY : 0)
  if (parts === 0) return
  writer.byte(number)
  writer.byte(parts)
  if (parts & SPEED) {
    writer.signed(ship.vx - was.vx)
    writer.signed(ship.vy - was.vy)
  }
  if (parts & PLACE) {
    writer.signed(ship.x - was.x - ship.vx)
    writer.signed(ship.y - was.y - ship.vy)
  }
  if (parts & STEER) writer.byte(ship.steer)
  if (parts & DASH) writer.byte(ship.dash)
  if (parts & SCORE) writer.count(ship.score)
  if (parts & ACK) writer.count(player.ack)
  if (parts & LATENCY) writer.count(player.latencyMs)
}

const wornOff = (dash: number): number => Math.max(0, dash - 1)

function writePearls(writer: ByteWriter, before: GameState, after: GameState): void {
  for (const [index, pearl] of after.pearls.entries()) {
    const was = before.pearls[index]
    if (was?.worth === pearl.worth && (pearl.worth === 0 || (was.x === pearl.x && was.y === pearl.y))) continue
    writer.count(index)
    writePearl(writer, pearl)
  }
  writer.count(MAX_PEARLS)
}

/** The tick that a delta leads to. @throws RangeError. */
export function tickOf(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes)
  reader.byte()
  return reader.count()
}

/**
 * In place; the view must be of the tick before.
 * @throws RangeError for what is no delta, or one of another tick: the view is not to be used any more.
 */
export function applyDelta({ state, players }: View, bytes: Uint8Array): void {
  const reader = new ByteReader(bytes)
  reader.byte()
  const tick = reader.count()
  if (tick !== state.tick + 1) throw new RangeError(`Cannot go from tick ${state.tick} to ${tick}`)
  state.tick = tick
  state.random = reader.count()
  eachShip(reader, (number) => {
    state.ships[number] = undefined
    players[number] = undefined
  })
  eachShip(reader, (number) => {
    state.ships[number] = { ...STANDING }
    players[number] = { ...NEW, name: reader.text() }
  })
  const told = new Set<number>()
  eachShip(reader, (number) => {
    const [ship, player] = [state.ships[number], players[number]]
    if (ship === undefined || player === undefined) throw new RangeError(`Cannot move ship ${number}: there is none`)
    told.add(number)
    readShip(reader, reader.byte(), ship, player)
  })
  for (const [number, ship] of state.ships.entries()) {
    const player = players[number]
    if (ship !== undefined && player !== undefined && !told.has(number)) readShip(reader, 0, ship, player)
  }
  for (let index = reader.count(); index !== MAX_PEARLS; index = reader.count()) {
    const pearl = state.pearls[index]
    if (pearl === undefined) throw new RangeError(`Cannot place pearl ${index}: there is none`)
    readPearl(reader, pearl)
  }
  reader.end()
}

function eachShip(reader: ByteReader, read: (number: number) => void): void {
  for (let number = reader.byte(); number !== MAX_SHIPS; number = reader.byte()) {
    if (number > MAX_SHIPS) throw new RangeError(`Cannot read a delta: there is no ship ${number}`)
    read(number)
  }
}

function readShip(reader: ByteReader, parts: number, ship: Ship, player: Player): void {
  if (parts & SPEED) {
    ship.vx += reader.signed()
    ship.vy += reader.signed()
  }
  ship.x += ship.vx
  ship.y += ship.vy
  if (parts & PLACE) {
    ship.x += reader.signed()
    ship.y += reader.signed()
  }
  if (parts & STEER) ship.steer = reader.byte()
  ship.dash = parts & DASH ? reader.byte() : wornOff(ship.dash)
  if (parts & SCORE) ship.score = reader.count()
  player.ack = parts & ACK ? reader.count() : player.ack + 1
  if (parts & LATENCY) player.latencyMs = reader.count()
}
