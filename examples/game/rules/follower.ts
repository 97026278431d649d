// What a browser knows of the game: the state as the server tells it, its own ship ahead of that by the inputs that the
// server has not used yet, and the others a little behind, where they can be shown without guessing.
import { applyDelta, DELTA, tickOf } from './delta.js'
import { encodeInput, encodeResync } from './client-messages.js'
import { decodeSnapshot, SNAPSHOT } from './snapshot.js'
import { step } from './simulation.js'
import { cloneState, TICKS_PER_SECOND, type GameState } from './state.js'
import type { View } from './view.js'

const TICK_MS = 1000 / TICKS_PER_SECOND
/** Others are shown so many ticks behind the newest, so that one that comes late is there in time. */
const SHOWN_BEHIND_TICKS = 3
const MAX_HISTORY_TICKS = 30
/** Inputs that are repeated ahead of the server: two seconds of them. */
const MAX_WAITING_INPUTS = 60

export interface Place {
  readonly x: number
  readonly y: number
  readonly vx: number
  readonly vy: number
}

interface Moment {
  readonly tick: number
  readonly ships: readonly (Place | undefined)[]
}

export class Follower {
  /** The number of the own ship; -1 before the server has said it. */
  own = -1
  #view: View | undefined
  #predicted: GameState | undefined
  #before: Place | undefined
  #inputs: { readonly number: number; readonly steer: number }[] = []
  #number = 0
  #history: Moment[] = []
  /** When tick 0 would have come, had it come as early as any. */
  #originMs = Infinity
  #lostTrack = true
  /** How far the last correction moved the own ship. */
  correction: { x: number; y: number } = { x: 0, y: 0 }
  /** How often the state had to be had anew. */
  resyncs = 0

  /** The newest that the server told. */
  get view(): View | undefined {
    return this.#view
  }

  /** The state with the own inputs that the server has not used yet. */
  get predicted(): GameState | undefined {
    return this.#predicted
  }

  get waitingInputs(): number {
    return this.#inputs.length
  }

  /** Takes a binary message. Returns what is to be sent for it, if anything. */
  receive(bytes: Uint8Array, nowMs: number): Uint8Array | undefined {
    try {
      const isUsed = bytes[0] === SNAPSHOT ? this.#replace(bytes) : bytes[0] === DELTA && this.#follow(bytes)
      if (!isUsed) return undefined
    } catch {
      return this.#askAnew()
    }
    this.#remember(nowMs)
    this.#predict()
    return undefined
  }

  #replace(bytes: Uint8Array): boolean {
    this.#view = decodeSnapshot(bytes)
    this.#lostTrack = false
    return true
  }

  /** Deltas that came between the loss and the snapshot are passed over. */
  #follow(bytes: Uint8Array): boolean {
    if (this.#lostTrack || this.#view === undefined) return false
    // The same tick comes again by a delta when a snapshot has told it already.
    if (tickOf(bytes) <= this.#view.state.tick) return false
    applyDelta(this.#view, bytes)
    return true
  }

  #askAnew(): Uint8Array | undefined {
    if (this.#lostTrack) return undefined
    this.#lostTrack = true
    this.resyncs += 1
    return encodeResync()
  }

  #remember(nowMs: number): void {
    if (this.#view === undefined) return
    const { tick, ships } = this.#view.state
    // Places are copied: the ships of the view are changed in place.
    this.#history.push({ tick, ships: ships.map((ship) => (ship === undefined ? undefined : placeOf(ship))) })
    if (this.#history.length > MAX_HISTORY_TICKS) this.#history.shift()
    // The earliest sets the pace; that it may be later again is allowed for slowly.
    const originMs = nowMs - tick * TICK_MS
    this.#originMs = Math.min(originMs, this.#originMs + 0.05)
  }

  /** Begins with what the server knows, and repeats what it has not used yet (reconciliation). */
  #predict(): void {
    if (this.#view === undefined) return
    const was = this.#predicted?.ships[this.own]
    const from = was === undefined ? undefined : placeOf(was)
    const ack = this.#view.players[this.own]?.ack ?? 0
    this.#inputs = this.#inputs.filter(({ number }) => number > ack)
    const state = cloneState(this.#view.state)
    this.#predicted = state
    for (const [index, { steer }] of this.#inputs.entries()) {
      if (index === this.#inputs.length - 1) this.#before = ownPlace(state, this.own)
      step(state, [{ type: 'steer', ship: this.own, steer }])
    }
    const now = state.ships[this.own]
    if (from !== undefined && now !== undefined) this.correction = { x: from.x - now.x, y: from.y - now.y }
  }

  /** One tick of the own ship, at once. Returns the message for the server; `undefined` while there is no ship. */
  steer(steer: number): Uint8Array | undefined {
    const state = this.#predicted
    if (state?.ships[this.own] === undefined) return undefined
    this.#number += 1
    this.#inputs.push({ number: this.#number, steer })
    if (this.#inputs.length > MAX_WAITING_INPUTS) this.#inputs.shift()
    this.#before = ownPlace(state, this.own)
    step(state, [{ type: 'steer', ship: this.own, steer }])
    return encodeInput(this.#number, steer)
  }

  /** Where the own ship is, so much of its tick after the last. */
  ownAt(share: number): Place | undefined {
    const ship = this.#predicted?.ships[this.own]
    if (ship === undefined) return undefined
    return between(this.#before ?? placeOf(ship), placeOf(ship), share)
  }

  /** Where the others are, by the number of the ship. */
  othersAt(nowMs: number): ReadonlyMap<number, Place> {
    const tick = (nowMs - this.#originMs) / TICK_MS - SHOWN_BEHIND_TICKS
    const next = this.#history.findIndex((moment) => moment.tick > tick)
    const after = next === -1 ? this.#history.at(-1) : this.#history[next]
    const before = next > 0 ? this.#history[next - 1] : after
    const places = new Map<number, Place>()
    if (after === undefined || before === undefined) return places
    const ticks = after.tick - before.tick
    const share = ticks <= 0 ? 1 : (tick - before.tick) / ticks
    for (const [number, place] of after.ships.entries()) {
      if (place === undefined || number === this.own) continue
      const from = before.ships[number]
      places.set(number, from === undefined ? place : between(from, place, share))
    }
    return places
  }
}

const placeOf = ({ x, y, vx, vy }: Place): Place => ({ x, y, vx, vy })

function ownPlace(state: GameState, own: number): Place | undefined {
  const ship = state.ships[own]
  return ship === undefined ? undefined : placeOf(ship)
}

/** What is too far apart for a tick was not sailed: it is another ship, or one that was set elsewhere. */
const MAX_SAILED = 100 * 64

function between(from: Place, to: Place, share: number): Place {
  if (Math.abs(to.x - from.x) > MAX_SAILED || Math.abs(to.y - from.y) > MAX_SAILED) return to
  const mixed = (one: number, other: number): number => one + (other - one) * Math.min(1, Math.max(0, share))
  return { x: mixed(from.x, to.x), y: mixed(from.y, to.y), vx: mixed(from.vx, to.vx), vy: mixed(from.vy, to.vy) }
}
