import type { StreamConnection } from '../transport/stream-connection.js'
import type { FilePiece } from './response-body.js'

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
  /** So much is queued that the connection will call `drain`: set this back then. */
  isPressed: boolean = false

  constructor(connection: StreamConnection) {
    this.#connection = connection
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
      if (!this.#connection.writeNowLatin1(text)) this.isPressed = true
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

  /** A piece of an open file, which is left open while this is pressed. */
  file({ descriptor, offset, length }: FilePiece): void {
    if (turn.owner === this) this.flush()
    if (!this.#connection.writeFileNow(descriptor, offset, length)) this.isPressed = true
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
    if (!this.#connection.writePairNow(batch.subarray(0, count), bytes)) this.isPressed = true
  }

  #write(bytes: Uint8Array, borrowed: boolean): void {
    if (!this.#connection.writeNow(bytes, borrowed)) this.isPressed = true
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
