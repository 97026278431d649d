import type { StreamConnection } from '../transport/stream-connection.js'
import type { FilePiece } from '../transport/file-piece.js'

export const latin1 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.prototype.latin1Slice.call(bytes, from, to)

const BATCH_BYTES = 64 * 1024
/** One for all connections of this thread: a batch begins and ends within one call. */
const batch = Buffer.allocUnsafeSlow(BATCH_BYTES)
let used = 0
/** What comes behind the bytes of the batch: text of which each character is a byte. Most batches are nothing else, and are written as they are. */
let tail = ''
/** Whose it is. */
const turn: { owner: Output | undefined } = { owner: undefined }

/**
 * What is sent to one client. Within `begin` and `flush`, which stand in one synchronous call, it is joined into one
 * write; outside of them each piece is written at once.
 */
export class Output {
  readonly #connection: StreamConnection
  #isPressed = false
  #onDrain: (() => void) | undefined
  #written = 0
  /** How much of that the system had taken when it was last looked at; -1 when it was not yet. */
  #taken = -1
  #movedAt = 0

  constructor(connection: StreamConnection) {
    this.#connection = connection
  }

  /** So much is queued that it is waited for; `drained` tells when it is gone. */
  get isPressed(): boolean {
    return this.#isPressed
  }

  /** Everything that was written was taken, or nothing will be any more. */
  drain(): void {
    this.#isPressed = false
    this.#taken = -1
    const onDrain = this.#onDrain
    this.#onDrain = undefined
    onDrain?.()
  }

  drained(): Promise<void> {
    return new Promise((resolve) => (this.#onDrain = resolve))
  }

  /**
   * Whether nothing of what is queued was taken for so long; ask now and then while something is. What counts is how much
   * was taken of all that was written: the queue of a client that reads slowly may be as long at each look.
   */
  isStalled(now: number, timeoutMs: number): boolean {
    const taken = this.#written - this.#connection.bufferedBytes
    if (taken !== this.#taken) {
      this.#taken = taken
      this.#movedAt = now
    }
    return now - this.#movedAt >= timeoutMs
  }

  /** Answers of one turn go out together. */
  begin(): void {
    turn.owner?.flush()
    turn.owner = this
  }

  flush(): void {
    if (turn.owner !== this) return
    turn.owner = undefined
    if (used === 0) {
      if (tail === '') return
      const text = tail
      tail = ''
      this.#written += text.length
      if (!this.#connection.writeNowLatin1(text)) this.#isPressed = true
      return
    }
    keepTail()
    const count = used
    used = 0
    this.#write(batch.subarray(0, count), true)
  }

  /** Text of which each character is a byte: heads and chunk sizes. */
  head(text: string): void {
    if (turn.owner === this && this.#fits(text.length)) tail += text
    else this.#writeAlone(Buffer.from(text, 'latin1'))
  }

  /** `count` is its length as UTF-8. */
  text(text: string, count: number): void {
    if (count === text.length) {
      this.head(text)
    } else if (turn.owner === this && this.#fits(count)) {
      keepTail()
      used += batch.write(text, used)
    } else this.#writeAlone(Buffer.from(text))
  }

  /** Bytes that are not changed until they are sent. */
  bytes(bytes: Uint8Array): void {
    if (turn.owner === this && bytes.length <= MAX_COPIED && this.#fits(bytes.length)) {
      keepTail()
      batch.set(bytes, used)
      used += bytes.length
      return
    }
    this.#writeAlone(bytes)
  }

  /** Whether the system can send a piece of an open file by itself now. */
  takesFile({ descriptor, offset, length }: FilePiece): boolean {
    return this.#connection.holdsFile(descriptor, offset, length)
  }

  /** Such a piece. The file is left open while this is pressed. */
  file({ descriptor, offset, length }: FilePiece): void {
    this.flush()
    this.#written += length
    if (!this.#connection.writeFileNow(descriptor, offset, length)) this.#isPressed = true
  }

  /** Behind what is in the batch, and together with it. */
  #writeAlone(bytes: Uint8Array): void {
    if (turn.owner === this) keepTail()
    if (turn.owner !== this || used === 0) {
      this.#write(bytes, false)
      return
    }
    const count = used
    used = 0
    this.#written += count + bytes.length
    if (!this.#connection.writePairNow(batch.subarray(0, count), bytes)) this.#isPressed = true
  }

  #write(bytes: Uint8Array, borrowed: boolean): void {
    this.#written += bytes.length
    if (!this.#connection.writeNow(bytes, borrowed)) this.#isPressed = true
  }

  /** Whether there is room in the batch; makes room by writing what is in it. */
  #fits(count: number): boolean {
    if (used + tail.length + count <= BATCH_BYTES) return true
    if (count > BATCH_BYTES) return false
    this.flush()
    this.begin()
    return true
  }
}

/** What `write` with its name of an encoding comes to. */
const { latin1Write: writeLatin1 } = Buffer.prototype

/** Puts the text among the bytes, where others follow it. */
function keepTail(): void {
  if (tail === '') return
  used += writeLatin1.call(batch, tail, used)
  tail = ''
}

const MAX_COPIED = 16 * 1024
