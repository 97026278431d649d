import { connectWebSocket, type WebSocketClient } from 'moorage/websocket'
import { machineClock } from './clock.js'
import { encodeInput } from './rules/client-messages.js'
import { HEADINGS, mix, nextRandom } from './rules/arithmetic.js'
import { steerOf, TICKS_PER_SECOND } from './rules/state.js'
import { Samples, type Spread } from './samples.js'
import { Ticker } from './ticker.js'

export interface BotsOptions {
  readonly count: number
  readonly seed?: number
  /** How long they play; Infinity is until the signal aborts, or the server leaves. */
  readonly durationMs?: number
  readonly signal?: AbortSignal
}

export interface BotsReport {
  readonly bots: number
  readonly seconds: number
  readonly inputs: number
  /** Messages and their bytes that came from the server, of all bots. */
  readonly messages: number
  readonly bytes: number
  /** Milliseconds from one message to the next, as a bot sees them. */
  readonly intervalMs: Spread
}

const OPENING_AT_ONCE = 16

/** Steers by chance, and always by the same: for a second or so into a direction, now and then with a dash. */
class Bot {
  readonly #socket: WebSocketClient
  readonly #intervals: Samples
  readonly #ticker: Ticker
  #random: number
  #heading = 0
  #ticksLeft = 0
  #lastMs: number | undefined
  inputs = 0
  messages = 0
  bytes = 0

  constructor(socket: WebSocketClient, seed: number, intervals: Samples) {
    this.#socket = socket
    this.#random = seed
    this.#intervals = intervals
    this.#ticker = new Ticker(machineClock, 1000 / TICKS_PER_SECOND, () => this.#steer())
  }

  /** Reads until the server leaves or the socket is closed. */
  async play(): Promise<void> {
    this.#ticker.start()
    try {
      for await (const message of this.#socket) {
        this.messages += 1
        this.bytes += message.length
        const nowMs = machineClock.now()
        if (this.#lastMs !== undefined) this.#intervals.add(nowMs - this.#lastMs)
        this.#lastMs = nowMs
      }
    } finally {
      this.#ticker.stop()
    }
  }

  async leave(): Promise<void> {
    this.#ticker.stop()
    await this.#socket.close()
  }

  #steer(): void {
    this.#ticksLeft -= 1
    if (this.#ticksLeft <= 0) {
      this.#heading = this.#below(HEADINGS)
      this.#ticksLeft = 10 + this.#below(40)
    }
    this.inputs += 1
    const steer = steerOf(this.#heading, true, this.#below(50) === 0)
    void this.#socket.send(encodeInput(this.inputs, steer))
  }

  #below(count: number): number {
    this.#random = nextRandom(this.#random)
    return mix(this.#random) % count
  }
}

/** Plays with so many bots, each over a WebSocket of its own. `url` is that of the game, with `ws:` or `http:`. */
export async function runBots(
  url: string,
  { count, seed = 1, durationMs = Infinity, signal }: BotsOptions,
): Promise<BotsReport> {
  const intervals = new Samples()
  const target = new URL('/socket', url.replace(/^http/, 'ws'))
  const bots: Bot[] = []
  const playing: Promise<void>[] = []
  for (let first = 0; first < count; first += OPENING_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(OPENING_AT_ONCE, count - first) }, (_, index) => first + index)
    const opened = numbers.map(async (number) => {
      target.searchParams.set('name', `bot ${number + 1}`)
      const bot = new Bot(await connectWebSocket(target), mix(seed + number), intervals)
      bots.push(bot)
      playing.push(bot.play())
    })
    await Promise.all(opened)
  }
  const startMs = machineClock.now()
  const before = totals(bots)
  const over = Promise.all(playing)
  await Promise.race([over, pause(durationMs, signal)])
  const seconds = (machineClock.now() - startMs) / 1000
  const after = totals(bots)
  await Promise.all(bots.map((bot) => bot.leave()))
  await over
  return {
    bots: count,
    seconds,
    inputs: after.inputs - before.inputs,
    messages: after.messages - before.messages,
    bytes: after.bytes - before.bytes,
    intervalMs: intervals.spread(),
  }
}

function totals(bots: readonly Bot[]): { inputs: number; messages: number; bytes: number } {
  const total = { inputs: 0, messages: 0, bytes: 0 }
  for (const { inputs, messages, bytes } of bots) {
    total.inputs += inputs
    total.messages += messages
    total.bytes += bytes
  }
  return total
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const cancel = ms === Infinity ? () => undefined : machineClock.after(ms, resolve)
    signal?.addEventListener(
      'abort',
      () => {
        cancel()
        resolve()
      },
      { once: true },
    )
  })
}
