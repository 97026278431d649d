import type { Clock } from 'moorage'
import { SharedFrame, type Message, type WebSocketPeer } from 'moorage/websocket'
import { Allowance } from './allowance.js'
import { tryParseClientMessage } from './rules/client-messages.js'
import { encodeDelta } from './rules/delta.js'
import { createState, step } from './rules/simulation.js'
import { encodeSnapshot } from './rules/snapshot.js'
import { hash, MAX_SHIPS, TICKS_PER_SECOND, type Command, type GameState } from './rules/state.js'
import { cloneView, type Player, type View } from './rules/view.js'
import { Ticker, type TickerReport } from './ticker.js'

export interface GameOptions {
  readonly clock: Clock
  readonly seed: number
  /** Is told the commands of each tick in which there are any, and the state behind it. */
  readonly record?: ((commands: readonly Command[], state: GameState) => void) | undefined
}

export interface GameReport extends TickerReport {
  readonly tick: number
  readonly hash: string
  readonly players: number
  /** Snapshots that went to somebody who fell behind or lost track. */
  readonly resyncs: number
}

/** Inputs of one player that wait for their ticks; the oldest give way. */
const MAX_WAITING_INPUTS = 15
/** While more wait, two are used in each tick: else the ship would answer late for good. */
const EASY_WAITING_INPUTS = 3
const MESSAGES_PER_SECOND = 45
const MESSAGES_AT_ONCE = 120
const SNAPSHOT_PERIOD_TICKS = 5 * TICKS_PER_SECOND
const PING_PERIOD_TICKS = TICKS_PER_SECOND
const NOT_UNDERSTOOD = 1003
const AGAINST_THE_RULES = 1008
export const FULL = 1013

/** A player, as the server has it: what it wants, and what it was sent. */
interface Seat {
  readonly peer: WebSocketPeer
  readonly ship: number
  readonly player: Player
  readonly allowance: Allowance
  readonly inputs: { readonly number: number; readonly steer: number }[]
  lastNumber: number
  lastSteer: number
  wantsSnapshot: boolean
  /** Messages that its slow connection has dropped so far: behind each it has to begin anew. */
  dropped: number
}

/** The game that is true. Browsers say how they steer; what becomes of it is decided here, thirty times a second. */
export class Game {
  readonly #clock: Clock
  readonly #record: GameOptions['record']
  readonly #ticker: Ticker
  readonly #view: View
  /** As the players have it. */
  #told: View
  readonly #seats = new Map<number, Seat>()
  /** Of the next tick: who came, and who left. */
  #changes: Command[] = []
  #resyncs = 0

  constructor({ clock, seed, record }: GameOptions) {
    this.#clock = clock
    this.#record = record
    this.#view = { state: createState(seed), players: [] }
    this.#told = cloneView(this.#view)
    this.#ticker = new Ticker(clock, 1000 / TICKS_PER_SECOND, () => this.tick())
  }

  start(): void {
    this.#ticker.start()
  }

  stop(): void {
    this.#ticker.stop()
  }

  get state(): GameState {
    return this.#view.state
  }

  report(newestTicks?: number): GameReport {
    const { state } = this.#view
    return {
      ...this.#ticker.report(newestTicks),
      tick: state.tick,
      hash: hash(state),
      players: this.#seats.size,
      resyncs: this.#resyncs,
    }
  }

  /** Plays until the peer leaves or does what it may not. */
  async play(peer: WebSocketPeer, name: string): Promise<void> {
    const seat = this.#sit(peer, name)
    if (seat === undefined) {
      await peer.close(FULL, 'the game is full')
      return
    }
    try {
      for await (const message of peer) {
        const fault = this.#hear(seat, message)
        if (fault === undefined) continue
        await peer.close(fault, fault === NOT_UNDERSTOOD ? 'messages are binary' : 'malformed, or too many')
        return
      }
    } finally {
      this.#seats.delete(seat.ship)
      this.#changes.push({ type: 'leave', ship: seat.ship })
    }
  }

  #sit(peer: WebSocketPeer, name: string): Seat | undefined {
    const ship = this.#freeShip()
    if (ship === undefined) return undefined
    const seat: Seat = {
      peer,
      ship,
      player: { name, ack: 0, latencyMs: 0 },
      allowance: new Allowance(MESSAGES_PER_SECOND, MESSAGES_AT_ONCE, this.#clock.now()),
      inputs: [],
      lastNumber: 0,
      lastSteer: 0,
      wantsSnapshot: true,
      dropped: 0,
    }
    this.#seats.set(ship, seat)
    this.#changes.push({ type: 'join', ship })
    void peer.send(JSON.stringify({ ship }))
    return seat
  }

  /** One that somebody left is free when all have been told so. */
  #freeShip(): number | undefined {
    for (let ship = 0; ship < MAX_SHIPS; ship += 1)
      if (!this.#seats.has(ship) && this.#view.state.ships[ship] === undefined) return ship
    return undefined
  }

  /** The code to close with, when the message may not be. */
  #hear(seat: Seat, message: Message): number | undefined {
    if (!seat.allowance.take(this.#clock.now())) return AGAINST_THE_RULES
    if (typeof message === 'string') return NOT_UNDERSTOOD
    const heard = tryParseClientMessage(message)
    switch (heard?.type) {
      case undefined:
        return AGAINST_THE_RULES
      case 'resync':
        seat.wantsSnapshot = true
        return undefined
      case 'input': {
        const { number, steer } = heard
        if (number <= seat.lastNumber) return AGAINST_THE_RULES
        seat.lastNumber = number
        seat.inputs.push({ number, steer })
        if (seat.inputs.length > MAX_WAITING_INPUTS) seat.inputs.shift()
        return undefined
      }
    }
  }

  /** One tick, now: the ticker calls it, and tests do. */
  tick(): void {
    const commands = this.#changes
    this.#changes = []
    for (const seat of this.#seats.values()) this.#useInput(seat, commands)
    const { state, players } = this.#view
    step(state, commands)
    for (const { type, ship } of commands) if (type === 'leave') players[ship] = undefined
    for (const { ship, player } of this.#seats.values()) players[ship] = player
    this.#record?.(commands, state)
    this.#tell()
    this.#told = cloneView(this.#view)
  }

  /** One input a tick moves the ship; without one it goes on as it is steered. */
  #useInput(seat: Seat, commands: Command[]): void {
    if (seat.inputs.length > EASY_WAITING_INPUTS) seat.inputs.shift()
    const input = seat.inputs.shift()
    if (input === undefined) return
    seat.player.ack = input.number
    if (input.steer === seat.lastSteer) return
    seat.lastSteer = input.steer
    commands.push({ type: 'steer', ship: seat.ship, steer: input.steer })
  }

  /** A delta for all, framed once; and, made when somebody needs it, one snapshot for all of those. */
  #tell(): void {
    if (this.#seats.size === 0) return
    const { tick } = this.#view.state
    const delta = new SharedFrame(encodeDelta(this.#told, this.#view))
    let snapshot: SharedFrame | undefined
    for (const seat of this.#seats.values()) {
      const { peer, ship } = seat
      const needsSnapshot = this.#needsSnapshot(seat)
      if (needsSnapshot || (tick + ship) % SNAPSHOT_PERIOD_TICKS === 0) {
        snapshot ??= new SharedFrame(encodeSnapshot(this.#view))
        void peer.sendShared(snapshot)
      } else void peer.sendShared(delta)
      if ((tick + ship) % PING_PERIOD_TICKS === 0) this.#measure(seat)
    }
  }

  /**
   * A connection that is slower than the game keeps only the newest message. What it had to drop to do so is missing, so
   * that from then on until it has caught up it is given snapshots.
   */
  #needsSnapshot(seat: Seat): boolean {
    const { dropped } = seat.peer.counts
    const needs = seat.wantsSnapshot || dropped !== seat.dropped
    if (needs && seat.player.ack > 0) this.#resyncs += 1
    seat.wantsSnapshot = false
    seat.dropped = dropped
    return needs
  }

  #measure({ peer, player }: Seat): void {
    peer.ping().then(
      (ms) => (player.latencyMs = Math.max(1, Math.round(ms))),
      // It is gone, or answers none: both are found out elsewhere.
      () => undefined,
    )
  }
}
