import type { Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { markHandled } from '../base/deferred.js'
import type { Connection } from '../transport/connection.js'
import { writeHeader } from './encode.js'
import type { SenderInbox } from './inbox.js'
import { HEADER_BYTES } from './messages.js'
import type { ProgressMeter } from './report.js'

const MAX_BLOCK_BYTES = 256 * 1024
const MAX_QUEUED_BYTES = 1024 * 1024
const MIN_BLOCK_BYTES = 4096
const MIN_WINDOW_BYTES = 1024 * 1024
const MAX_WINDOW_BYTES = 64 * 1024 * 1024
/** What an interruption may cost, as a share of the file. */
const WINDOW_SHARE = 512

interface Block {
  readonly bytes: Buffer
  /** The offset behind it in the file: when that is acknowledged the block is free again. */
  end: number
  count: number
}

/**
 * Sends one file in blocks, at most a window ahead of what the receiver has acknowledged. A block is used again only
 * when its bytes have arrived, so nothing is copied and nothing grows.
 */
export class FileStream {
  readonly #file: FileHandle
  readonly #size: number
  readonly #inbox: SenderInbox
  readonly #connection: Connection
  readonly #windowBytes: number
  readonly #blockBytes: number
  readonly #blocks: Block[] = []
  #sent = 0

  constructor(file: FileHandle, size: number, inbox: SenderInbox, connection: Connection, maxWindowBytes: number) {
    this.#file = file
    this.#size = size
    this.#inbox = inbox
    this.#connection = connection
    const share = Math.min(Math.max(size / WINDOW_SHARE, MIN_WINDOW_BYTES), MAX_WINDOW_BYTES)
    this.#windowBytes = Math.floor(Math.min(share, maxWindowBytes))
    this.#blockBytes = Math.max(MIN_BLOCK_BYTES, Math.min(MAX_BLOCK_BYTES, Math.floor(this.#windowBytes / 4)))
  }

  /** Bytes of the file that were handed to the connection. */
  get sentBytes(): number {
    return this.#sent
  }

  /**
   * Resolves with `'whole'` when everything was sent, `'answered'` when the receiver has said its result before, or
   * `'short'` when the file has become shorter.
   */
  async send(from: number, hash: Hash | undefined, meter: ProgressMeter): Promise<'whole' | 'answered' | 'short'> {
    this.#inbox.beginAt(from)
    let at = from
    let reading = markHandled(this.#readAt(at))
    try {
      while (at < this.#size) {
        const block = await reading
        if (block === undefined) return this.#inbox.hasAnswer ? 'answered' : 'short'
        at = block.end
        reading = markHandled(this.#readAt(at))
        const written = this.#connection.write(block.bytes.subarray(0, HEADER_BYTES + block.count))
        this.#sent += block.count
        meter.moved(block.count)
        if (this.#connection.signal.aborted) throw this.#connection.signal.reason
        hash?.update(block.bytes.subarray(HEADER_BYTES, HEADER_BYTES + block.count))
        // More than a block is queued, or the line would be empty while the next one is read.
        if (this.#connection.bufferedBytes >= MAX_QUEUED_BYTES) await written
      }
      return 'whole'
    } finally {
      await reading.catch(() => undefined)
    }
  }

  /** The next block, when the window has room for it; `undefined` when there is none, or nobody wants it. */
  async #readAt(at: number): Promise<Block | undefined> {
    const wanted = Math.min(this.#blockBytes, this.#size - at)
    if (wanted <= 0) return undefined
    while (!this.#inbox.hasAnswer && at + wanted - this.#inbox.acked > this.#windowBytes) await this.#inbox.change()
    if (this.#inbox.hasAnswer) return undefined
    const block = this.#freeBlock()
    const { bytesRead } = await this.#file.read(block.bytes, HEADER_BYTES, wanted, at)
    if (bytesRead === 0) return undefined
    block.count = bytesRead
    block.end = at + bytesRead
    writeHeader(block.bytes, 'data', bytesRead)
    return block
  }

  /** One whose bytes have arrived, or a new one: the window bounds how many there are. */
  #freeBlock(): Block {
    const [first] = this.#blocks
    const isFree = first !== undefined && first.end <= this.#inbox.acked
    const block = isFree ? first : { bytes: Buffer.allocUnsafeSlow(HEADER_BYTES + this.#blockBytes), end: 0, count: 0 }
    if (isFree) this.#blocks.shift()
    this.#blocks.push(block)
    return block
  }
}
