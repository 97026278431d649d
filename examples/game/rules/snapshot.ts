// A snapshot stands for itself: it is for who joins, who fell behind, and for all now and then.
import { ByteReader, ByteWriter } from './bytes.js'
import { emptyState, hash, MAX_SHIPS, type Pearl } from './state.js'
import type { View } from './view.js'

/** The first byte of it; of a delta, that is `DELTA`. */
export const SNAPSHOT = 1

export function encodeSnapshot({ state, players }: View): Uint8Array {
  const writer = new ByteWriter()
  writer.byte(SNAPSHOT)
  writer.count(state.tick)
  writer.count(state.random)
  writer.text(hash(state))
  for (const [number, ship] of state.ships.entries()) {
    if (ship === undefined) continue
    const { name, ack, latencyMs } = players[number] ?? { name: '', ack: 0, latencyMs: 0 }
    writer.byte(number)
    writer.text(name)
    writer.count(ack)
    writer.count(latencyMs)
    for (const value of [ship.x, ship.y, ship.vx, ship.vy]) writer.signed(value)
    writer.byte(ship.steer)
    writer.byte(ship.dash)
    writer.count(ship.score)
  }
  writer.byte(MAX_SHIPS)
  for (const pearl of state.pearls) writePearl(writer, pearl)
  return writer.finish()
}

/** @throws RangeError for what is no snapshot, or has not the hash that it says. */
export function decodeSnapshot(bytes: Uint8Array): View {
  const reader = new ByteReader(bytes)
  reader.byte()
  const view: View = { state: emptyState(0), players: [] }
  const { state, players } = view
  state.tick = reader.count()
  state.random = reader.count()
  const told = reader.text()
  for (let number = reader.byte(); number !== MAX_SHIPS; number = reader.byte()) {
    if (number > MAX_SHIPS) throw new RangeError(`Cannot read a snapshot: there is no ship ${number}`)
    players[number] = { name: reader.text(), ack: reader.count(), latencyMs: reader.count() }
    const [x, y, vx, vy] = [reader.signed(), reader.signed(), reader.signed(), reader.signed()]
    state.ships[number] = { x, y, vx, vy, steer: reader.byte(), dash: reader.byte(), score: reader.count() }
  }
  for (const pearl of state.pearls) readPearl(reader, pearl)
  reader.end()
  if (hash(state) !== told) throw new RangeError('Cannot use a snapshot: its state has another hash')
  return view
}

export function writePearl(writer: ByteWriter, { x, y, worth }: Pearl): void {
  writer.byte(worth)
  if (worth === 0) return
  writer.signed(x)
  writer.signed(y)
}

export function readPearl(reader: ByteReader, pearl: Pearl): void {
  pearl.worth = reader.byte()
  if (pearl.worth === 0) return
  pearl.x = reader.signed()
  pearl.y = reader.signed()
}
