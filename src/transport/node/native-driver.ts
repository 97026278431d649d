import type { Socket } from 'node:net'
import { constants } from 'node:os'
import type { Clock } from '../../base/clock.js'
import { DONE } from '../../base/deferred.js'
import { NetError } from '../../base/errors.js'
import type { Address } from '../address.js'
import type { FilePiece } from '../file-piece.js'
import { copyBytes } from '../fresh-bytes.js'
import type { StreamDriver, StreamDriverEvents, TlsStart } from '../stream-driver.js'
import { MAX_TIMER_MS, systemClock } from '../system-clock.js'
import { fromSystemError, systemError } from './errno.js'
import {
  MAX_NATIVE_TEXT,
  socketOnDescriptor,
  WATCH_READ,
  WATCH_UNREF,
  WATCH_WRITE,
  type NativeSource,
  type NativeStreamOwner,
  type NativeStreams,
} from './native-streams.js'
import { descriptorOfShared } from './shared-bytes.js'
import { SocketDriver } from './socket-driver.js'
import { secureSocket } from './start-tls.js'

/** Bytes of an open file that are to be sent. */
interface SentPiece extends FilePiece {
  /** What keeps the file open, where nobody else does. */
  readonly bytes?: Uint8Array
}

const restOf = (piece: SentPiece, sent: number): SentPiece => ({
  ...piece,
  offset: piece.offset + sent,
  length: piece.length - sent,
})

const fileError = (why: string): NetError => new NetError('ERR_FILE_READ', `Cannot send the file: ${why}`)

/** Threads of the pool that receive into files: the others are for whoever else needs one. */
const MAX_JOBS = 2
let runningJobs = 0

/** Below it the written pieces of a queue stay in their list. */
const MAX_SENT_PIECES = 1024

/**
 * Drives a connected socket by the addon: no handle and no stream of Node's stands below it. Until the first read or
 * write it keeps what it came with, as TLS may need that.
 */
export class NativeDriver implements StreamDriver, NativeStreamOwner {
  readonly clock: Clock = systemClock
  readonly local: Address
  readonly remote: Address
  readonly tls: undefined
  readonly #streams: NativeStreams
  readonly #highWaterBytes: number
  #source: NativeSource | undefined
  /** In the set of streams; -1 before and after. */
  #id = -1
  #interest = 0
  #events: StreamDriverEvents | undefined
  #isOver = false
  #peerEnded = false
  #writeEnded = false
  #endWritten: (() => void) | undefined
  /** What the system has not taken: the pieces from `#sent` on. */
  #queue: (Uint8Array | SentPiece)[] | undefined
  #sent = 0
  #queued = 0
  #held = 0
  /** When: it is over when the streams were emptied since. */
  #heldAt = 0
  #owesDrain = false
  #shrunk: (() => void) | undefined
  #onFlushed: (() => void) | undefined
  #idle: NodeJS.Timeout | undefined
  #handshaking: Socket | undefined

  constructor(
    streams: NativeStreams,
    source: NativeSource,
    { local, remote }: { readonly local: Address; readonly remote: Address },
    highWaterBytes: number,
  ) {
    this.#streams = streams
    this.#source = source
    this.local = local
    this.remote = remote
    this.#highWaterBytes = highWaterBytes
  }

  get bufferedBytes(): number {
    return this.#isHeld ? this.#queued + this.#held : this.#queued
  }

  /** Something of it is sent when this turn is over. */
  get #isHeld(): boolean {
    return this.#held > 0 && this.#heldAt === this.#streams.emptied
  }

  #noteHeld(count: number): true {
    const now = this.#streams.emptied
    this.#held = this.#heldAt === now ? this.#held + count : count
    this.#heldAt = now
    this.#idle?.refresh()
    return true
  }

  /** Before anything that must come behind it, or makes it too late. */
  #sendHeld(): void {
    if (this.#isHeld) this.#streams.flush()
  }

  notTaken(bytes: Uint8Array): void {
    this.#held = 0
    if (!this.#isOver) this.#push(copyBytes(bytes))
  }

  notSent(errno: number): void {
    this.#held = 0
    this.#fail('write', errno)
  }

  attach(events: StreamDriverEvents): void {
    this.#events = events
  }

  resume(): void {
    if (!this.#peerEnded && this.#isReady()) this.#watch(this.#interest | WATCH_READ)
  }

  pause(): void {
    // One that was never used waits for nothing, and what it came with stays: TLS may need that.
    if (this.#id !== -1) this.#watch(this.#interest & ~WATCH_READ)
  }

  ref(): void {
    if (this.#id !== -1) this.#watch(this.#interest & ~WATCH_UNREF)
  }

  unref(): void {
    if (this.#id !== -1) this.#watch(this.#interest | WATCH_UNREF)
  }

  /** Into the set of streams, at the first use. */
  #isReady(): boolean {
    if (this.#id !== -1) return true
    const source = this.#source
    if (source === undefined) return false
    this.#source = undefined
    try {
      this.#id = source.enter()
      this.#streams.own(this.#id, this)
    } catch (error) {
      // No descriptor is left for it.
      this.#end(error)
      return false
    }
    return true
  }

  #watch(interest: number): void {
    if (interest === this.#interest) return
    this.#interest = interest
    const result = this.#streams.addon.streamWatch(this.#id, interest)
    if (result < 0) this.#fail('epoll_ctl', result)
  }

  // ---- reading

  received(bytes: Uint8Array): void {
    this.#idle?.refresh()
    this.#events?.driverData(bytes, true)
  }

  receivedEnd(): void {
    // The addon no longer waits for it.
    this.#interest &= ~WATCH_READ
    this.#peerEnded = true
    this.#events?.driverEnd()
    this.#endIfBothEnded()
  }

  broke(errno: number): void {
    this.#interest &= ~WATCH_READ
    this.#fail('read', errno)
  }

  receiveFile(descriptor: number, offset: number, count: number): Promise<number> {
    if (this.#id === -1 || this.#peerEnded || runningJobs >= MAX_JOBS) return Promise.resolve(0)
    return new Promise((resolve, reject) => {
      const began = this.#streams.addon.streamToFile(this.#id, descriptor, offset, count, (bytes, broken, full) => {
        runningJobs -= 1
        this.#idle?.refresh()
        if (full !== 0) reject(systemError('write', full))
        else resolve(bytes)
        // What came before it broke is in the file.
        if (broken !== 0 && !this.#isOver) this.#fail('read', broken)
      })
      if (began) runningJobs += 1
      else resolve(0)
    })
  }

  // ---- writing

  write(bytes: Uint8Array): boolean {
    if (!this.#isReady()) return true
    const descriptor = descriptorOfShared(bytes)
    if (descriptor !== undefined) return this.#writeShared(descriptor, bytes)
    this.#sendHeld()
    if (this.#queued > 0) return this.#push(bytes)
    const taken = this.#streams.addon.streamWrite(this.#id, bytes)
    if (taken === bytes.length) {
      this.#idle?.refresh()
      return true
    }
    return this.#tookLess(taken, bytes)
  }

  writeLatin1(text: string): boolean {
    if (this.#queued > 0 || text.length > MAX_NATIVE_TEXT) return this.write(Buffer.from(text, 'latin1'))
    if (!this.#isReady()) return true
    if (this.#mayHold && this.#streams.holdText(this.#id, text)) return this.#noteHeld(text.length)
    this.#sendHeld()
    if (this.#queued > 0) return this.#push(Buffer.from(text, 'latin1'))
    const taken = this.#streams.addon.streamWriteText(this.#id, text)
    if (taken === text.length) {
      this.#idle?.refresh()
      return true
    }
    return this.#tookLess(taken, Buffer.from(text, 'latin1'))
  }

  writeBorrowed(bytes: Uint8Array): boolean {
    if (!this.#isReady()) return true
    if (this.#queued === 0 && this.#mayHold && this.#streams.holdBytes(this.#id, bytes))
      return this.#noteHeld(bytes.length)
    this.#sendHeld()
    const taken = this.#queued > 0 ? 0 : this.#streams.addon.streamWrite(this.#id, bytes)
    if (taken === bytes.length) {
      this.#idle?.refresh()
      return true
    }
    return this.#tookLess(Math.min(taken, 0), taken > 0 ? copyBytes(bytes.subarray(taken)) : copyBytes(bytes))
  }

  writePair(first: Uint8Array, second: Uint8Array): boolean {
    if (!this.#isReady()) return true
    this.#sendHeld()
    if (this.#queued > 0) {
      this.#push(copyBytes(first))
      return this.write(second)
    }
    if (descriptorOfShared(second) !== undefined) {
      const sent = this.#streams.addon.streamWriteMore(this.#id, first)
      if (sent !== first.length) this.#tookLess(sent, copyBytes(first))
      return this.write(second)
    }
    const taken = this.#streams.addon.streamWriteAll(this.#id, [first, second], 0)
    if (taken === first.length + second.length) {
      this.#idle?.refresh()
      return true
    }
    if (taken >= first.length) return this.#tookLess(taken - first.length, second)
    this.#tookLess(taken, copyBytes(first))
    return this.#isOver || this.#push(second)
  }

  #writeShared(descriptor: number, bytes: Uint8Array): boolean {
    return this.#sendFile({ descriptor, offset: bytes.byteOffset, length: bytes.length, bytes })
  }

  #tookLess(taken: number, bytes: Uint8Array): boolean {
    if (taken < 0) {
      this.#fail('write', taken)
      return true
    }
    return this.#push(taken === 0 ? bytes : bytes.subarray(taken))
  }

  holdsFile(descriptor: number, offset: number, count: number): boolean {
    return this.#streams.addon.fileInMemory(descriptor, offset, count)
  }

  writeFile(descriptor: number, offset: number, count: number): boolean {
    if (!this.#isReady()) return true
    const isSent = this.#sendFile({ descriptor, offset, length: count })
    // Its owner waits for the drain, however little is queued.
    if (!isSent || this.#queued === 0) return isSent
    this.#owesDrain = true
    return false
  }

  #sendFile(piece: SentPiece): boolean {
    this.#sendHeld()
    if (this.#queued > 0) return this.#push(piece)
    const { descriptor, offset, length } = piece
    const taken = this.#streams.addon.streamSendFile(this.#id, descriptor, offset, length)
    if (taken < 0) {
      this.#fail('sendfile', taken)
      return true
    }
    this.#idle?.refresh()
    return taken === length || this.#push(restOf(piece, taken))
  }

  /** Whether the queue is below the mark then. */
  #push(bytes: Uint8Array | SentPiece): boolean {
    // One of nothing would never be seen to be taken.
    if (bytes.length === 0) return !this.#owesDrain
    this.#queue ??= []
    this.#queue.push(bytes)
    this.#queued += bytes.length
    this.#owesDrain ||= this.#queued >= this.#highWaterBytes
    this.#watch(this.#interest | WATCH_WRITE)
    return !this.#owesDrain
  }

  writable(): void {
    const queue = this.#queue
    const before = this.#queued
    // One that has nothing to write only hears that it is broken: its next read or write tells.
    if (queue === undefined) return this.#watch(this.#interest & ~WATCH_WRITE)
    while (this.#queued > 0) {
      const taken = this.#sendQueued(queue)
      if (taken < 0) return this.#fail('write', taken)
      if (taken === 0) break
      this.#dropSent(queue, taken)
    }
    if (this.#queued < before) this.#idle?.refresh()
    if (this.#queued === 0) this.#flushed()
    if (this.#queued < before) this.#shrunk?.()
  }

  #sendQueued(queue: readonly (Uint8Array | SentPiece)[]): number {
    const { addon } = this.#streams
    const first = queue[this.#sent]
    if (first === undefined || first instanceof Uint8Array) return addon.streamWriteAll(this.#id, queue, this.#sent)
    return addon.streamSendFile(this.#id, first.descriptor, first.offset, first.length)
  }

  #dropSent(queue: (Uint8Array | SentPiece)[], taken: number): void {
    this.#queued -= taken
    let left = taken
    for (let piece = queue[this.#sent]; piece !== undefined && left > 0; piece = queue[this.#sent]) {
      if (piece.length > left) {
        queue[this.#sent] = piece instanceof Uint8Array ? piece.subarray(left) : restOf(piece, left)
        break
      }
      left -= piece.length
      this.#sent += 1
    }
    if (this.#sent < MAX_SENT_PIECES) return
    queue.splice(0, this.#sent)
    this.#sent = 0
  }

  #flushed(): void {
    this.#queue = undefined
    this.#sent = 0
    this.#watch(this.#interest & ~WATCH_WRITE)
    if (this.#endWritten !== undefined) this.#endWriting()
    this.#onFlushed?.()
    if (!this.#owesDrain) return
    this.#owesDrain = false
    this.#events?.driverDrain()
  }

  /** Whoever watches the buffer is told of what leaves it, not of what waits for the end of a turn. */
  get #mayHold(): boolean {
    return this.#shrunk === undefined
  }

  watchBuffer(shrunk: () => void): void {
    this.#sendHeld()
    this.#shrunk = shrunk
  }

  endWriting(done: () => void): void {
    this.#endWritten = done
    this.#sendHeld()
    if (this.#queued === 0 && this.#isReady()) this.#endWriting()
    else if (this.#isOver) this.#tellEndWritten()
  }

  #endWriting(): void {
    this.#writeEnded = true
    // Of a peer that is gone, reading tells.
    this.#streams.addon.streamShutdown(this.#id)
    this.#tellEndWritten()
    this.#endIfBothEnded()
  }

  #tellEndWritten(): void {
    const done = this.#endWritten
    this.#endWritten = undefined
    done?.()
  }

  // ---- ending

  #endIfBothEnded(): void {
    if (this.#peerEnded && this.#writeEnded) this.#end(undefined)
  }

  #fail(call: string, errno: number): void {
    // Of a piece of a file the end was met first, or it cannot be read: sockets know neither.
    if (errno === -constants.errno.ENODATA) this.#end(fileError('it became shorter while it was sent'))
    else if (errno === -constants.errno.EIO) this.#end(fileError('the system cannot read it (EIO)'))
    else this.#end(systemError(call, errno))
  }

  destroy(): void {
    this.#end(undefined)
    this.#handshaking?.destroy()
  }

  #wasEnded(): boolean {
    return this.#isOver
  }

  /** Gone at once; its connection hears of it when what runs now is over. */
  #end(error: unknown): void {
    if (this.#isOver) return
    this.#sendHeld()
    // Sending it can have failed, and ended it.
    if (this.#wasEnded()) return
    this.#isOver = true
    this.#source?.close()
    this.#source = undefined
    if (this.#id !== -1) this.#streams.close(this.#id)
    this.#id = -1
    clearTimeout(this.#idle)
    this.#onFlushed?.()
    process.nextTick(() => {
      this.#events?.driverClose(error === undefined ? undefined : fromSystemError('use the connection', error))
      this.#events = undefined
      this.#queue = undefined
      this.#tellEndWritten()
    })
  }

  watchIdle(milliseconds: number, expired: () => void): void {
    clearTimeout(this.#idle)
    if (milliseconds <= MAX_TIMER_MS && !this.#isOver) this.#idle = setTimeout(expired, milliseconds).unref()
  }

  // ---- TLS

  flush(): Promise<void> {
    this.#sendHeld()
    if (this.#queued === 0 || this.#isOver) return DONE
    return new Promise((resolve) => (this.#onFlushed = resolve))
  }

  async startTls(options: TlsStart, unread: Uint8Array): Promise<StreamDriver> {
    const plain = this.#detach(unread)
    // Until the handshake is done this driver answers for the socket: destroying it ends the handshake.
    this.#handshaking = plain
    try {
      return new SocketDriver(this.remote, this.local).driveTls(await secureSocket(plain, options), options)
    } catch (error) {
      this.#events?.driverClose(error instanceof Error ? fromSystemError('use the connection', error) : undefined)
      this.#events = undefined
      throw error
    }
  }

  /** An ordinary socket in its place, with unread bytes put back. */
  #detach(unread: Uint8Array): Socket {
    clearTimeout(this.#idle)
    const source = this.#source
    const id = this.#id
    if (source === undefined && id === -1) throw new Error('Cannot detach: there is no socket')
    this.#isOver = true
    this.#source = undefined
    this.#id = -1
    const socket =
      source === undefined
        ? socketOnDescriptor(this.#streams.release(id), this.#highWaterBytes)
        : source.toSocket(this.#highWaterBytes)
    if (unread.length > 0) socket.unshift(unread)
    return socket
  }
}
