import { DONE, deferred, markHandled, type Deferred } from '../../base/deferred.js'
import { LimitError, type MoorageError } from '../../base/errors.js'
import { formatAddress, type Address } from '../address.js'
import { refused } from '../datagram-core.js'
import type { DatagramDriver, DatagramReceiver } from '../datagram-driver.js'
import { fromDatagramError, receiveError, systemError } from './datagram-errors.js'
import type { NativeAddon, NativeBatchMemory } from './native.js'
import { fromNativeName, PeerSlots } from './peer-slots.js'
import { StalledDatagrams } from './stalled-datagrams.js'

export interface BatchSettings {
  readonly maxDatagramBytes: number
  readonly sendQueueCount: number
  readonly sendQueueBytes: number
  readonly sendHighWaterBytes: number
}

const BATCH = 64
const EVENT_DATAGRAMS = 0
const EVENT_WRITABLE = 1
const EVENT_ERROR = 2
const FLAG_TRUNCATED = 1
const FLAG_NEW_PEER = 2
// Datagrams lie an odd number of cache lines apart: at a power of two all would fall into one set of the cache.
const MAX_STRIDE = 65_536 + 64

const strideFor = (maxBytes: number): number => {
  const lines = Math.ceil(maxBytes / 64)
  return (lines + (lines % 2 === 0 ? 1 : 0)) * 64
}

// One for all sockets of the thread: what it holds is handed over before the call that filled it returns.
let receiveBuffer: Uint8Array | undefined

// What most sockets need; a queue that is not enough is doubled up to its bound.
const FIRST_RECORDS = 128
const FIRST_ARENA_BYTES = 16_384

function peerSlotsFor(records: number): number {
  let slots = 2048
  while (slots < records + 2 * BATCH) slots *= 2
  return slots
}

interface Waiter {
  /** Index of the record that is waited for. */
  record: number
  readonly sending: Deferred<void>
}

/**
 * Datagrams over the addon: a batch of them crosses between C and JavaScript in one call each way. Sends are queued in
 * memory that both see and leave together: at the end of the batch that caused them, or of the running microtask.
 */
export class BatchDriver implements DatagramDriver {
  readonly local: Address
  readonly remote: Address | undefined
  readonly maxSendBytes: number
  readonly #addon: NativeAddon
  readonly #onClose: () => void
  readonly #memory: NativeBatchMemory
  readonly #maxRecords: number
  readonly #maxArenaBytes: number
  readonly #stride: number
  readonly #highWater: number
  readonly #views: Uint8Array[] = []
  readonly #peers: PeerSlots
  readonly #stalled: StalledDatagrams | undefined
  readonly #id: number
  readonly #flushSoon = (): void => {
    this.#flushScheduled = false
    this.#flush()
  }
  #receiver: DatagramReceiver | undefined
  #waiters: Waiter[] = []
  #drained: Deferred<void> | undefined
  #arenaStart = 0
  #arenaEnd = 0
  #flushScheduled = false
  #closed = false
  #inSink = false
  #current: Address | undefined
  #currentSlot = -1
  #sent = 0
  #sentBytes = 0
  #sendDropped = 0

  /** Takes over a bound descriptor, and closes it at `close`. @throws the system's error; the descriptor is open then. */
  constructor(
    addon: NativeAddon,
    descriptor: number,
    maxSendBytes: number,
    settings: BatchSettings,
    onClose: () => void = () => undefined,
  ) {
    this.#addon = addon
    this.#onClose = onClose
    this.maxSendBytes = Math.min(maxSendBytes, settings.sendQueueBytes)
    this.#highWater = settings.sendHighWaterBytes
    this.local = fromNativeName(addon.localName(descriptor))
    const remote = addon.remoteName(descriptor)
    this.remote = remote === undefined ? undefined : fromNativeName(remote)
    receiveBuffer ??= new Uint8Array(BATCH * MAX_STRIDE)
    this.#maxRecords = settings.sendQueueCount
    this.#maxArenaBytes = settings.sendQueueBytes
    this.#stride = strideFor(settings.maxDatagramBytes)
    this.#memory = {
      receive: receiveBuffer,
      header: new Int32Array(BATCH * 3),
      control: new Int32Array(2),
      records: new Int32Array(Math.min(FIRST_RECORDS, this.#maxRecords) * 4),
      arena: new Uint8Array(Math.min(FIRST_ARENA_BYTES, this.#maxArenaBytes)),
    }
    // The queue of one Unix peer that does not read must not hold up the datagrams to all others.
    const skipBlocked = this.local.kind === 'unix' && this.remote === undefined
    const onEvent = (event: number, value: number): void => this.#onEvent(event, value)
    const { maxDatagramBytes } = settings
    this.#id = addon.batchOpen(
      descriptor,
      this.#memory,
      this.#stride,
      maxDatagramBytes,
      peerSlotsFor(this.#maxRecords),
      skipBlocked ? 1 : 0,
      onEvent,
    )
    this.#peers = new PeerSlots(addon, this.#id, this.local)
    if (skipBlocked) {
      this.#stalled = new StalledDatagrams(settings, {
        tryNow: (data, to) => this.#tryNow(data, to),
        dropped: (count) => {
          this.#sendDropped += count
        },
        emptied: () => this.#flush(),
      })
    }
  }

  get bufferedBytes(): number {
    return this.#arenaEnd - this.#arenaStart + (this.#stalled?.bytes ?? 0)
  }

  get sent(): number {
    return this.#sent
  }

  get sentBytes(): number {
    return this.#sentBytes
  }

  get sendDropped(): number {
    return this.#sendDropped
  }

  start(receiver: DatagramReceiver): void {
    this.#receiver = receiver
  }

  send(data: Uint8Array, to: Address | undefined): Promise<void> {
    let slot = -1
    if (to !== undefined) {
      if (this.#stalled?.has(to)) return this.#stall(new Uint8Array(data), to)
      if (to === this.#current && to.kind === 'ip') slot = this.#currentSlot
      else {
        try {
          slot = this.#peers.slotOf(to)
        } catch (error) {
          this.#sendDropped += 1
          return refused(fromDatagramError(`send to ${formatAddress(to)}`, error))
        }
      }
    }
    if (!this.#enqueue(data, slot)) {
      this.#sendDropped += 1
      return refused(queueFull(this.bufferedBytes))
    }
    if (this.#inSink) return DONE
    const sending = deferred<void>()
    this.#waiters.push({ record: (this.#memory.control[1] ?? 0) - 1, sending })
    if (!this.#flushScheduled) {
      this.#flushScheduled = true
      // Cheaper than queueMicrotask, which makes an async resource for each.
      void DONE.then(this.#flushSoon)
    }
    return markHandled(sending.promise)
  }

  drained(): Promise<void> {
    this.#flush()
    if (this.#isEmpty()) return DONE
    return this.#whenDrained().catch(() => undefined)
  }

  #whenDrained(): Promise<void> {
    this.#drained ??= deferred()
    return markHandled(this.#drained.promise)
  }

  close(reason: MoorageError): void {
    if (this.#closed) return
    this.#closed = true
    const { control } = this.#memory
    this.#sendDropped += (control[1] ?? 0) - (control[0] ?? 0)
    this.#onClose()
    this.#addon.batchClose(this.#id)
    this.#stalled?.close()
    for (const { sending } of this.#waiters.splice(0)) sending.reject(reason)
    this.#drained?.reject(reason)
    control.fill(0)
    this.#arenaStart = this.#arenaEnd = 0
  }

  // Receiving

  #onEvent(event: number, value: number): void {
    if (event === EVENT_DATAGRAMS) this.#onDatagrams(value)
    else if (event === EVENT_WRITABLE) this.#flush()
    else {
      const error = receiveError(this, systemError(value, 'recvmmsg'))
      if (event === EVENT_ERROR) this.#receiver?.failed(error)
      else this.#receiver?.broken(error)
    }
  }

  #onDatagrams(count: number): void {
    const receiver = this.#receiver
    if (receiver === undefined) return
    const { header } = this.#memory
    this.#inSink = receiver.isSink
    for (let i = 0; i < count && !this.#closed; i += 1) {
      const slot = header[i * 3 + 1] ?? 0
      const flags = header[i * 3 + 2] ?? 0
      const remote = this.#peers.addressOf(slot, (flags & FLAG_NEW_PEER) !== 0)
      this.#current = remote
      this.#currentSlot = slot
      receiver.datagram(this.#view(i, header[i * 3] ?? 0), remote, (flags & FLAG_TRUNCATED) !== 0, false)
    }
    this.#inSink = false
    this.#current = undefined
    if (!this.#closed) this.#flush()
  }

  /** The bytes of one datagram of the batch. Views are kept: equal lengths, the usual case, allocate nothing. */
  #view(index: number, length: number): Uint8Array {
    const kept = this.#views[index]
    if (kept !== undefined && kept.length === length) return kept
    const at = index * this.#stride
    const view = this.#memory.receive.subarray(at, at + length)
    this.#views[index] = view
    return view
  }

  // Sending

  #enqueue(data: Uint8Array, slot: number): boolean {
    const { control } = this.#memory
    const isFull =
      control[1] === this.#memory.records.length / 4 || this.#arenaEnd + data.length > this.#memory.arena.length
    if (isFull && !this.#makeRoom(data.length)) return false
    const { records, arena } = this.#memory
    const end = control[1] ?? 0
    arena.set(data, this.#arenaEnd)
    records[end * 4] = this.#arenaEnd
    records[end * 4 + 1] = data.length
    records[end * 4 + 2] = slot
    this.#arenaEnd += data.length
    control[1] = end + 1
    return true
  }

  /** Sends what is queued and moves the rest to the front. */
  #makeRoom(bytes: number): boolean {
    this.#flush()
    const { control, records, arena } = this.#memory
    const from = control[0] ?? 0
    const to = control[1] ?? 0
    if (from > 0) {
      arena.copyWithin(0, this.#arenaStart, this.#arenaEnd)
      records.copyWithin(0, from * 4, to * 4)
      for (let i = 0; i < to - from; i += 1) records[i * 4] = (records[i * 4] ?? 0) - this.#arenaStart
      control[0] = 0
      control[1] = to - from
      this.#arenaEnd -= this.#arenaStart
      this.#arenaStart = 0
    }
    return this.#grow((control[1] ?? 0) + 1, this.#arenaEnd + bytes)
  }

  /** False when the bounds of the queue do not allow so many records or bytes. */
  #grow(records: number, bytes: number): boolean {
    if (records > this.#maxRecords || bytes > this.#maxArenaBytes) return false
    const memory = this.#memory
    const held = memory.records.length / 4
    if (records <= held && bytes <= memory.arena.length) return true
    if (records > held) {
      const larger = new Int32Array(Math.min(held * 2, this.#maxRecords) * 4)
      larger.set(memory.records)
      memory.records = larger
    }
    if (bytes > memory.arena.length) {
      const larger = new Uint8Array(Math.min(Math.max(memory.arena.length * 2, bytes), this.#maxArenaBytes))
      larger.set(memory.arena.subarray(0, this.#arenaEnd))
      memory.arena = larger
    }
    this.#addon.batchGrow(this.#id)
    return true
  }

  #isEmpty(): boolean {
    const { control } = this.#memory
    return control[0] === control[1] && (this.#stalled === undefined || this.#stalled.isEmpty)
  }

  #flush(): void {
    if (this.#closed) return
    const { control, records } = this.#memory
    const from = control[0] ?? 0
    const to = control[1] ?? 0
    if (from < to) {
      const done = this.#addon.batchFlush(this.#id, from, to)
      control[0] = done
      for (let i = from; i < done; i += 1) {
        const status = records[i * 4 + 3] ?? 0
        if (status !== 0) {
          this.#refuse(i, status)
          continue
        }
        this.#sent += 1
        this.#sentBytes += records[i * 4 + 1] ?? 0
      }
      if (this.#waiters.length > 0) this.#settle()
      if (done === to) this.#reset()
      else this.#arenaStart = records[done * 4] ?? 0
    }
    if (this.#drained !== undefined && this.#isEmpty()) {
      this.#drained.resolve()
      this.#drained = undefined
    }
  }

  #reset(): void {
    const { control } = this.#memory
    control[0] = control[1] = 0
    this.#arenaStart = this.#arenaEnd = 0
  }

  #refuse(record: number, status: number): void {
    const { records, arena } = this.#memory
    const offset = records[record * 4] ?? 0
    const length = records[record * 4 + 1] ?? 0
    const to = this.#peers.knownAt(records[record * 4 + 2] ?? -1) ?? this.remote
    const error = systemError(status, 'sendmmsg')
    const at = this.#waiters.findIndex((waiter) => waiter.record === record)
    if (error.code === 'EAGAIN' && this.#stalled !== undefined && to !== undefined) {
      const promise = this.#stall(arena.slice(offset, offset + length), to)
      if (at !== -1) this.#waiters.splice(at, 1)[0]?.sending.resolve(promise)
      return
    }
    this.#sendDropped += 1
    if (at === -1) return
    const action = to === undefined ? 'send' : `send to ${formatAddress(to)}`
    this.#waiters.splice(at, 1)[0]?.sending.reject(fromDatagramError(action, error, length))
  }

  #stall(data: Uint8Array, to: Address): Promise<void> {
    if (!this.#stalled?.put(data, to)) {
      this.#sendDropped += 1
      return refused(queueFull(this.bufferedBytes))
    }
    return this.#stalled.bytes <= this.#highWater ? DONE : this.#whenDrained()
  }

  /** One stalled datagram again. False when its peer still takes none. */
  #tryNow(data: Uint8Array, to: Address): boolean {
    this.#flush()
    const { control } = this.#memory
    if (control[0] !== control[1] || !this.#enqueue(data, this.#peers.slotOf(to))) return false
    const done = this.#addon.batchFlush(this.#id, 0, 1)
    const status = this.#memory.records[3] ?? 0
    this.#reset()
    if (done === 0 || systemError(status, 'sendmmsg').code === 'EAGAIN') return false
    if (status !== 0) this.#sendDropped += 1
    else {
      this.#sent += 1
      this.#sentBytes += data.length
    }
    return true
  }

  /** After a flush: who was sent is told; who is still queued waits only above the high-water mark. */
  #settle(): void {
    const from = this.#memory.control[0] ?? 0
    const waiters = this.#waiters
    this.#waiters = []
    const mayGoOn = this.bufferedBytes <= this.#highWater
    for (const { record, sending } of waiters) {
      if (record < from || mayGoOn) sending.resolve()
      else sending.resolve(this.#whenDrained())
    }
  }
}

function queueFull(bytes: number): LimitError {
  return new LimitError('ERR_QUEUE_LIMIT', `Cannot send: the send queue is full with ${bytes} bytes`, {
    details: { bytes },
  })
}
