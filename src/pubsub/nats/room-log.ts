import { deferred, type Deferred } from '../../base/deferred.js'
import { BrokenError, LimitError } from '../../base/errors.js'
import { newBrokerId } from '../broker-id.js'
import type { BrokerSettings } from '../options.js'
import type { Position } from '../position.js'
import { isAway } from '../remote/broker-errors.js'
import type { Lifeline } from '../remote/lifeline.js'
import type { Replay } from '../replay.js'
import type { HistoryOptions, RoomMessage } from '../room.js'
import type { NatsConnection, Stored } from './nats-connection.js'
import {
  costOf,
  decodeBatch,
  encodeBatch,
  goodUntil,
  lastOffset,
  messagesOf,
  pastBehind,
  isSame,
  type Batch,
  type BatchHead,
} from './room-batch.js'

/** Where a room stands: its last batch, and the place of that in the stream. */
interface Stand extends BatchHead {
  readonly seq: number
}

interface Pending {
  readonly frame: Buffer
  readonly taken: Deferred<Position>
}

/** What one room has to say: one batch is on its way, the others wait for it. */
interface Writer {
  stand: Stand | undefined
  waiting: Pending[]
  isBusy: boolean
}

/** A batch is no larger than this, unless one message is. */
const BATCH_BYTES = 64 * 1024
const BATCH_COUNT = 256
/** For the head of a batch, and the headers of the protocol. */
const SPARE_BYTES = 4096
/** So many rooms that nobody writes to are remembered where they stand. */
const REMEMBERED = 10_000
const AGAIN_MS = 100

/**
 * The messages of rooms in one stream of JetStream. Whoever appends says which message must be the last one of the room:
 * so there is one order, offsets have no holes, and what is asked again is not appended twice.
 */
export class RoomLog {
  readonly #line: Lifeline<NatsConnection>
  readonly #settings: BrokerSettings
  readonly #stream: string
  readonly #subject: (room: string) => string
  readonly #writers = new Map<string, Writer>()

  constructor(
    line: Lifeline<NatsConnection>,
    settings: BrokerSettings,
    stream: string,
    subject: (room: string) => string,
  ) {
    this.#line = line
    this.#settings = settings
    this.#stream = stream
    this.#subject = subject
  }

  /** @throws LimitError `ERR_ROOM_MESSAGE_SIZE`. */
  append(room: string, frame: Buffer): Promise<Position> {
    const most = (this.#line.connection?.maxPayloadBytes ?? Infinity) - SPARE_BYTES
    if (frame.length > most) {
      throw new LimitError(
        'ERR_ROOM_MESSAGE_SIZE',
        `Cannot publish ${frame.length} bytes: NATS takes ${most} here; raise its max_payload`,
        { details: { maxPayloadBytes: most } },
      )
    }
    const writer = this.#writer(room)
    const taken = deferred<Position>()
    writer.waiting.push({ frame, taken })
    if (!writer.isBusy) void this.#write(room, writer)
    return taken.promise
  }

  /** A batch that was told: whoever writes next begins behind it. */
  heard(room: string, batch: Batch, seq: number): void {
    const writer = this.#writers.get(room)
    if (writer !== undefined && seq > (writer.stand?.seq ?? 0)) writer.stand = standOf(batch, seq)
  }

  async read(room: string, { after, maxMessages = Infinity }: HistoryOptions): Promise<Replay> {
    const stand = await this.#standNow(room)
    const head = { epoch: stand.epoch, offset: lastOffset(stand) }
    const wanted = after === undefined ? maxMessages : Infinity
    const good = after === undefined ? undefined : goodUntil(stand, after.epoch)
    if (
      wanted === 0 ||
      (after !== undefined && good !== undefined && after.offset === head.offset && after.offset <= good)
    )
      return { gapUntil: undefined, messages: [], head }
    const held = await this.#held(room, stand)
    const reachesBackTo = head.offset - held.length
    if (after === undefined) {
      const messages = wanted === Infinity ? held : held.slice(Math.max(0, held.length - wanted))
      return { gapUntil: undefined, messages, head }
    }
    const isGood = good !== undefined && after.offset <= good
    const isCommon = good !== undefined && after.epoch !== stand.epoch
    const from = isGood ? after.offset : isCommon ? good : 0
    const start = Math.max(from, reachesBackTo)
    const gapUntil = isGood && start === after.offset ? undefined : { epoch: head.epoch, offset: start }
    const messages = held.filter(({ offset }) => offset > start)
    return { gapUntil, messages: messages.slice(0, maxMessages), head }
  }

  /** Nobody will be told any more. */
  fail(error: Error): void {
    for (const writer of this.#writers.values()) {
      for (const { taken } of writer.waiting) taken.reject(error)
      writer.waiting = []
    }
  }

  #writer(room: string): Writer {
    const known = this.#writers.get(room)
    // The newest stand last, so that the oldest that has nothing to say is forgotten first.
    if (known !== undefined) this.#writers.delete(room)
    const writer = known ?? { stand: undefined, waiting: [], isBusy: false }
    this.#writers.set(room, writer)
    if (this.#writers.size > REMEMBERED) {
      for (const [name, { isBusy, waiting }] of this.#writers) {
        if (isBusy || waiting.length > 0) continue
        this.#writers.delete(name)
        break
      }
    }
    return writer
  }

  async #write(room: string, writer: Writer): Promise<void> {
    writer.isBusy = true
    while (writer.waiting.length > 0) {
      const batch = takeBatch(writer.waiting)
      try {
        const position = await this.#place(room, writer, batch)
        for (const [i, { taken }] of batch.entries())
          taken.resolve({ epoch: position.epoch, offset: position.offset + i })
      } catch (error) {
        for (const { taken } of batch) taken.reject(error)
      }
    }
    writer.isBusy = false
  }

  /** Tries until it stands, or is refused. @returns the position of its first message. */
  async #place(room: string, writer: Writer, pending: readonly Pending[]): Promise<Position> {
    const frames = pending.map(({ frame }) => frame)
    /** Behind which message it was to stand when the answer was lost: there, or nowhere. */
    let lostBehind: number | undefined
    for (;;) {
      let expected: number | undefined
      try {
        const connection = this.#line.need()
        if (lostBehind !== undefined) {
          const next = await connection.next(this.#stream, this.#subject(room), lostBehind + 1)
          if (next !== undefined) {
            const batch = decode(next)
            if (isSame(batch, frames)) return { epoch: batch.epoch, offset: batch.first }
            lostBehind = undefined
          }
        }
        const stand = writer.stand ?? (await this.#fetch(connection, room))
        const head = nextHead(stand, connection.serverRun, frames.length, this.#settings.clock.now())
        expected = stand?.seq ?? 0
        const seq = await connection.set(this.#subject(room), encodeBatch(head, frames), expected)
        if (seq !== undefined) {
          // What was told of it may have come before, and what came behind that.
          if (seq > (writer.stand?.seq ?? 0)) writer.stand = { ...head, seq }
          return { epoch: head.epoch, offset: head.first }
        }
        writer.stand = await this.#fetch(connection, room)
      } catch (error) {
        if (this.#line.isClosed || !isAway(error)) throw error
        lostBehind = expected ?? lostBehind
        writer.stand = undefined
        await this.#soon()
      }
    }
  }

  #soon(): Promise<void> {
    return new Promise((resolve) => {
      this.#settings.clock.after(AGAIN_MS, resolve)
    })
  }

  async #fetch(connection: NatsConnection, room: string): Promise<Stand | undefined> {
    const stored = await connection.last(this.#stream, this.#subject(room))
    return stored === undefined ? undefined : standOf(decode(stored), stored.seq)
  }

  /** A room that nobody has used, or not since a restart, begins with an empty batch: its epoch is known from then on. */
  async #standNow(room: string): Promise<Stand> {
    for (;;) {
      const connection = this.#line.need()
      const { serverRun } = connection
      const stand = await this.#fetch(connection, room)
      if (stand?.run === serverRun) return stand
      const head = nextHead(stand, serverRun, 0, this.#settings.clock.now())
      const seq = await connection.set(this.#subject(room), encodeBatch(head, []), stand?.seq ?? 0)
      if (seq !== undefined) return { ...head, seq }
    }
  }

  /** The messages up to a stand that history holds, bounded in number and bytes. */
  async #held(room: string, stand: Stand): Promise<readonly RoomMessage[]> {
    const { historyMessages, historyBytes } = this.#settings
    const held = new Newest(historyMessages, historyBytes)
    await this.#line.need().read(this.#stream, this.#subject(room), 1, (stored) => {
      if (stored.seq > stand.seq) return
      // Those of epochs before stand where they stood.
      for (const message of messagesOf(room, decode(stored))) held.add({ ...message, epoch: stand.epoch })
    })
    return held.list()
  }
}

/** The newest messages, as many as may be held. */
class Newest {
  readonly #maxMessages: number
  readonly #maxBytes: number
  #messages: RoomMessage[] = []
  #first = 0
  #bytes = 0

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages
    this.#maxBytes = maxBytes
  }

  add(message: RoomMessage): void {
    this.#messages.push(message)
    this.#bytes += costOf(message)
    while (this.#messages.length - this.#first > this.#maxMessages || this.#bytes > this.#maxBytes) this.#drop()
    if (this.#first <= 1024) return
    this.#messages = this.list()
    this.#first = 0
  }

  list(): RoomMessage[] {
    return this.#messages.slice(this.#first)
  }

  #drop(): void {
    const oldest = this.#messages[this.#first]
    if (oldest !== undefined) this.#bytes -= costOf(oldest)
    this.#first += 1
  }
}

function decode({ data }: Stored): Batch {
  const batch = decodeBatch(data)
  if (batch === undefined)
    throw new BrokenError('ERR_BROKER_GONE', 'Cannot understand what stands in the stream of the rooms')
  return batch
}

const standOf = ({ epoch, run, first, count, timeMs, past }: Batch, seq: number): Stand => ({
  epoch,
  run,
  first,
  count,
  timeMs,
  past,
  seq,
})

/** What stands in the next batch. Behind a restart the last ones may be missing: offsets count in a new epoch. */
function nextHead(stand: Stand | undefined, run: string, count: number, now: number): BatchHead {
  const timeMs = Math.max(Math.floor(now), stand?.timeMs ?? 0)
  if (stand === undefined) return { epoch: newBrokerId(), run, first: 1, count, timeMs, past: '' }
  const first = lastOffset(stand) + 1
  if (stand.run === run) return { epoch: stand.epoch, run, first, count, timeMs, past: stand.past }
  return { epoch: newBrokerId(), run, first, count, timeMs, past: pastBehind(stand) }
}

function takeBatch(waiting: Pending[]): readonly Pending[] {
  let bytes = 0
  let count = 0
  for (const { frame } of waiting) {
    if (count > 0 && (bytes + frame.length > BATCH_BYTES || count === BATCH_COUNT)) break
    bytes += frame.length
    count += 1
  }
  return waiting.splice(0, count)
}
