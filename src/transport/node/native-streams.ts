import { AsyncResource } from 'node:async_hooks'
import { Socket } from 'node:net'
import { socketOn, type SocketHandle } from './fast-receive.js'
import { tryLoadNative, type NativeAddon } from './native.js'

/** What `write` with its name of an encoding comes to. */
const { latin1Write: writeLatin1 } = Buffer.prototype

/** All reads of a turn of the loop go in here: 256 KiB, as much as one stream that sends without end gets in a turn. */
const RECEIVE_BYTES = 256 * 1024
const MAX_RECORDS = 512
/** What is written in a turn, and sent when it is over; as soon as it is full when that is before. */
const OUTBOX_BYTES = 256 * 1024
const MAX_HELD = 512
/** Larger ones are not worth the copy. */
export const MAX_HELD_BYTES: number = 16 * 1024
/** In `control`. */
const OUT = 0
const IN_TURN = 1
const EMPTIED = 2
/** Characters; longer texts are written as bytes. */
export const MAX_NATIVE_TEXT: number = 64 * 1024

export const WATCH_READ = 1
export const WATCH_WRITE = 2
/** What it waits for does not keep the process running. */
export const WATCH_UNREF = 4
const WRITABLE = -1

/** Who is told what happens on a stream. Bytes are borrowed for the length of the call. */
export interface NativeStreamOwner {
  received(bytes: Uint8Array): void
  receivedEnd(): void
  /** `errno` is below zero. */
  broke(errno: number): void
  writable(): void
  /** What was held for the end of the turn and the system did not take; borrowed for the length of the call. */
  notTaken(bytes: Uint8Array): void
  /** It could not be sent: `errno` is below zero. */
  notSent(errno: number): void
}

/** The streams of this thread that the addon waits for, all in one set: it calls once for all that are ready. */
export class NativeStreams {
  readonly addon: NativeAddon
  readonly #receive: Buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES)
  readonly #records: Int32Array = new Int32Array(MAX_RECORDS * 3)
  readonly #outbox: Buffer = Buffer.allocUnsafeSlow(OUTBOX_BYTES)
  readonly #out: Int32Array = new Int32Array(MAX_HELD * 3)
  readonly #control: Int32Array = new Int32Array(3)
  /** Of the outbox. */
  #used = 0
  readonly #owners: (NativeStreamOwner | undefined)[] = []

  constructor(addon: NativeAddon) {
    this.addon = addon
    const [receive, records, outbox, out, control] = [
      this.#receive,
      this.#records,
      this.#outbox,
      this.#out,
      this.#control,
    ]
    addon.streamsOpen({ receive, records, outbox, out, control }, (count) => {
      if (count > 0) this.#heard(count)
      else this.#left(-count)
    })
    // What a handler wrote is on its way, also when it ends the process next.
    process.once('exit', () => this.flush())
  }

  /** Changes each time that the outbox was sent: what was held before is held no longer. */
  get emptied(): number {
    return this.#control[EMPTIED] ?? 0
  }

  /** Takes bytes to be sent when the turn is over; not where that would be late, or they are many. */
  holdBytes(id: number, bytes: Uint8Array): boolean {
    if (!this.#makeRoom(bytes.length)) return false
    this.#outbox.set(bytes, this.#used)
    this.#note(id, bytes.length)
    return true
  }

  /** The same of a text of which each character is a byte. */
  holdText(id: number, text: string): boolean {
    if (!this.#makeRoom(text.length)) return false
    writeLatin1.call(this.#outbox, text, this.#used)
    this.#note(id, text.length)
    return true
  }

  #makeRoom(count: number): boolean {
    if (this.#control[IN_TURN] !== 1 || count > MAX_HELD_BYTES) return false
    const held = this.#control[OUT] ?? 0
    if (held === 0) this.#used = 0
    if (held < MAX_HELD && this.#used + count <= OUTBOX_BYTES) return true
    // What is left of it is queued with its streams, perhaps with this one: then that goes first.
    this.flush()
    return false
  }

  #note(id: number, count: number): void {
    const held = this.#control[OUT] ?? 0
    const last = (held - 1) * 3
    if (held > 0 && this.#out[last] === id) {
      this.#out[last + 2] = (this.#out[last + 2] ?? 0) + count
    } else {
      this.#out[held * 3] = id
      this.#out[held * 3 + 1] = this.#used
      this.#out[held * 3 + 2] = count
      this.#control[OUT] = held + 1
    }
    this.#used += count
  }

  /** Sends what is held now: something else of its streams must come behind it. */
  flush(): void {
    if ((this.#control[OUT] ?? 0) > 0) this.#left(this.addon.streamsFlush())
    this.#used = 0
  }

  #left(count: number): void {
    const out = this.#out
    // A first look at all of them: telling may hold more.
    const left = Array.from({ length: count }, (_, i) => [out[i * 3], out[i * 3 + 1], out[i * 3 + 2]] as const)
    for (const [id = 0, offset = 0, length = 0] of left) {
      const owner = this.#owners[id]
      if (length < 0) owner?.notSent(length)
      else owner?.notTaken(this.#outbox.subarray(offset, offset + length))
    }
  }

  /** A copy of the descriptor, which waits for nothing until somebody owns it. */
  add(descriptor: number): number {
    return this.addon.streamAdd(descriptor)
  }

  own(id: number, owner: NativeStreamOwner): void {
    this.#owners[id] = owner
  }

  close(id: number): void {
    this.#owners[id] = undefined
    this.addon.streamClose(id)
  }

  /** Gives the stream up; not while `#heard` may still have something for it. @returns its descriptor. */
  release(id: number): number {
    this.#owners[id] = undefined
    return this.addon.streamRelease(id)
  }

  #heard(count: number): void {
    const records = this.#records
    for (let at = 0; at < count; at += 1) {
      const owner = this.#owners[records[at * 3] ?? 0]
      // One that was closed by what an earlier record led to.
      if (owner === undefined) continue
      try {
        this.#tell(owner, records[at * 3 + 1] ?? WRITABLE, records[at * 3 + 2] ?? 0)
      } catch (error) {
        // As if each were told by itself: what one handler throws takes nothing from the other streams.
        process.nextTick(() => {
          throw error
        })
      }
    }
  }

  #tell(owner: NativeStreamOwner, what: number, length: number): void {
    if (what === WRITABLE) owner.writable()
    else if (length > 0) owner.received(this.#receive.subarray(what, what + length))
    else if (length === 0) owner.receivedEnd()
    else owner.broke(length)
  }
}

let streams: NativeStreams | undefined

/** Outside of whatever runs when the first stream of the thread is made: its AsyncLocalStorage is not that of all others. */
const outside = AsyncResource.bind((addon: NativeAddon): NativeStreams => new NativeStreams(addon))

/** Those of this thread; `undefined` without the addon. */
export function nativeStreams(): NativeStreams | undefined {
  const addon = tryLoadNative()
  if (addon === undefined) return undefined
  streams ??= outside(addon)
  return streams
}

/** A connected socket that nobody has read or written, as it came. One of these is called, once. */
export interface NativeSource {
  /** Into the set of streams: its id there. */
  enter(): number
  /** A socket of Node's on it, paused. */
  toSocket(highWaterMark: number): Socket
  close(): void
}

/** `undefined` where the handle does not tell its descriptor. */
export function sourceOfHandle(streams: NativeStreams, handle: SocketHandle): NativeSource | undefined {
  const descriptor = descriptorOf(handle)
  if (descriptor === undefined) return undefined
  return {
    enter() {
      try {
        return streams.add(descriptor)
      } finally {
        handle.close()
      }
    },
    toSocket: (highWaterMark) => socketOn(handle, highWaterMark, undefined),
    close: () => handle.close(),
  }
}

/** One that is in the set already. */
export const sourceOfStream = (streams: NativeStreams, id: number): NativeSource => ({
  enter: () => id,
  toSocket: (highWaterMark) => socketOnDescriptor(streams.release(id), highWaterMark),
  close: () => streams.close(id),
})

export function descriptorOf(handle: object | undefined): number | undefined {
  if (handle === undefined || !('fd' in handle) || typeof handle.fd !== 'number') return undefined
  return handle.fd >= 0 ? handle.fd : undefined
}

/** A socket of Node's on a descriptor, unread and paused. */
export function socketOnDescriptor(descriptor: number, highWaterMark: number): Socket {
  const options = { fd: descriptor, allowHalfOpen: true, manualStart: true, highWaterMark }
  return new Socket(options)
}
