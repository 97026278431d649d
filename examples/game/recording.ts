// A game as a file: its seed, then the commands of each tick that has any, and the hash of the state now and then. A JSON
// object a line.
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import { createState, step } from './rules/simulation.js'
import { hash, TICKS_PER_SECOND, type Command, type GameState } from './rules/state.js'

const FORMAT = 1
const HASH_PERIOD_TICKS = 10 * TICKS_PER_SECOND
const MAX_RECORD_BYTES = 64 * 1024 * 1024
/** What waits for a disk that is slow. */
const MAX_WAITING_BYTES = 1024 * 1024

export interface RecordingOptions {
  /** The record ends before it would be longer. */
  readonly maxBytes?: number
  /** Is told why a record ended before the game. */
  readonly ended?: (why: string) => void
}

export class Recording {
  readonly #file: WriteStream
  readonly #maxBytes: number
  readonly #ended: (why: string) => void
  readonly #over: Promise<void>
  #bytes = 0
  #isOver = false

  constructor(
    path: string,
    seed: number,
    { maxBytes = MAX_RECORD_BYTES, ended = () => undefined }: RecordingOptions = {},
  ) {
    this.#file = createWriteStream(path, { mode: 0o600 })
    this.#maxBytes = maxBytes
    this.#ended = ended
    this.#over = finished(this.#file).catch((error: unknown) => {
      this.#isOver = true
      this.#ended(String(error))
    })
    this.#write({ game: FORMAT, seed })
  }

  /** The commands of a tick, and the state behind it. */
  add(commands: readonly Command[], state: GameState): void {
    if (this.#isOver) return
    if (this.#bytes > this.#maxBytes) this.#stop(`it is ${this.#bytes} bytes long`)
    else if (this.#file.writableLength > MAX_WAITING_BYTES) this.#stop('the disk is too slow')
    else {
      if (commands.length > 0) this.#write({ tick: state.tick, commands: commands.map(pack) })
      if (state.tick % HASH_PERIOD_TICKS === 0) this.#write({ tick: state.tick, hash: hash(state) })
    }
  }

  /** Resolves when all of it is in the file; `state` is what the game ended with. */
  async close(state: GameState): Promise<void> {
    if (!this.#isOver) {
      this.#isOver = true
      this.#write({ tick: state.tick, hash: hash(state) })
      this.#file.end()
    }
    await this.#over
  }

  #stop(why: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#file.end()
    this.#ended(why)
  }

  #write(entry: object): void {
    const line = `${JSON.stringify(entry)}\n`
    this.#bytes += line.length
    this.#file.write(line)
  }
}

const pack = (command: Command): readonly (string | number)[] =>
  command.type === 'steer' ? [command.type, command.ship, command.steer] : [command.type, command.ship]

export interface Replayed {
  readonly tick: number
  readonly hash: string
  /** What the record says of this tick, where it says anything. */
  readonly recorded: string | undefined
}

/**
 * Plays a record again: gives the hash of the state each `everyTicks` ticks, and wherever the record has one.
 * @throws TypeError naming the line that is none of a record.
 */
export async function* replay(path: string, everyTicks: number): AsyncGenerator<Replayed, void, undefined> {
  let state: GameState | undefined
  let shown = 0
  let number = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number += 1
    const entry = parseEntry(line)
    if (entry === undefined || !follows(state, entry))
      throw new TypeError(`Cannot replay ${path}: line ${number} is none of a record`)
    if ('seed' in entry) state = createState(entry.seed)
    if (state === undefined || 'seed' in entry) continue
    const { tick, commands, recorded } = entry
    while (state.tick < tick) {
      if (state.tick % everyTicks === 0 && state.tick > shown) {
        shown = state.tick
        yield { tick: shown, hash: hash(state), recorded: undefined }
      }
      step(state, state.tick === tick - 1 ? commands : [])
    }
    if (recorded === undefined) continue
    shown = tick
    yield { tick, hash: hash(state), recorded }
  }
}

/** First the seed, then ticks in order; a record has something to say of every few seconds. */
function follows(state: GameState | undefined, entry: Entry): boolean {
  if (state === undefined || 'seed' in entry) return state === undefined && 'seed' in entry
  const ticks = entry.tick - state.tick
  return ticks <= HASH_PERIOD_TICKS && (ticks > 0 || (ticks === 0 && entry.recorded !== undefined))
}

type Entry =
  | { readonly seed: number }
  | { readonly tick: number; readonly commands: readonly Command[]; readonly recorded: string | undefined }

function parseEntry(line: string): Entry | undefined {
  const entry = parseObject(line)
  const { game, seed, tick, commands, hash: recorded } = entry
  if (game !== undefined) return game === FORMAT && typeof seed === 'number' ? { seed } : undefined
  if (typeof tick !== 'number' || !Number.isSafeInteger(tick)) return undefined
  if (typeof recorded === 'string') return { tick, commands: [], recorded }
  if (!Array.isArray(commands)) return undefined
  const unpacked: Command[] = []
  for (const packed of commands) {
    const command = unpack(packed)
    if (command === undefined) return undefined
    unpacked.push(command)
  }
  return { tick, commands: unpacked, recorded: undefined }
}

function unpack(packed: unknown): Command | undefined {
  if (!Array.isArray(packed)) return undefined
  const [type, ship, steer]: readonly unknown[] = packed
  if (typeof ship !== 'number') return undefined
  if (type === 'join' || type === 'leave') return { type, ship }
  return type === 'steer' && typeof steer === 'number' ? { type, ship, steer } : undefined
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(line)
    return isRecord(parsed) ? parsed : {}
  } catch {
    // The line is named by whoever asked.
    return {}
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
