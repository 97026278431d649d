import { AsyncResource } from 'node:async_hooks'
import { Socket } from 'node:net'
import { socketOn, type SocketHandle } from './fast-receive.js'
import { tryLoadNative, type NativeAddon } from './native.js'

/** All reads of a turn of the loop go in here: 256 KiB, as much as one stream that sends without end gets in a turn. */
const RECEIVE_BYTES = 256 * 1024
const MAX_RECORDS = 512
/** Characters; longer texts are written as bytes. */
export const MAX_NATIVE_TEXT: number = 64 * 1024

export const WATCH_READ = 1
export const WATCH_WRITE = 2
const WRITABLE = -1

/** Who is told what happens on a stream. Bytes are borrowed for the length of the call. */
export interface NativeStreamOwner {
  received(bytes: Uint8Array): void
  receivedEnd(): void
  /** `errno` is below zero. */
  broke(errno: number): void
  writable(): void
}

/** The streams of this thread that the addon waits for, all in one set: it calls once for all that are ready. */
export class NativeStreams {
  readonly addon: NativeAddon
  readonly #receive: Buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES)
  readonly #records: Int32Array = new Int32Array(MAX_RECORDS * 3)
  readonly #owners: (NativeStreamOwner | undefined)[] = []

  constructor(addon: NativeAddon) {
    this.addon = addon
    addon.streamsOpen({ receive: this.#receive, records: this.#records }, (count) => this.#heard(count))
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
