import { open, type FileHandle } from 'node:fs/promises'

/** Written together: a call for each piece that comes would cost more than what it writes. */
const BATCH_BYTES = 1024 * 1024

/** Writes pieces one behind the other, in large steps, one of them under way while the next is gathered. */
export class FileWriter {
  readonly #file: FileHandle
  #position: number
  #gathered: Uint8Array[] = []
  #gatheredBytes = 0
  #writing: Promise<void> = Promise.resolve()

  private constructor(file: FileHandle, position: number) {
    this.#file = file
    this.#position = position
  }

  /** An existing file is kept up to `position`, and cut there. */
  static async open(path: string, position: number): Promise<FileWriter> {
    const file = await open(path, position === 0 ? 'w' : 'r+', 0o666)
    try {
      if (position > 0) await file.truncate(position)
    } catch (error) {
      await file.close()
      throw error
    }
    return new FileWriter(file, position)
  }

  /** Bytes that were given so far, with those that were there. */
  get length(): number {
    return this.#position + this.#gatheredBytes
  }

  /** The piece is the writer's from now on. @throws what the file system says, of an earlier piece perhaps. */
  async write(piece: Uint8Array): Promise<void> {
    this.#gathered.push(piece)
    this.#gatheredBytes += piece.length
    if (this.#gatheredBytes >= BATCH_BYTES) await this.#flush()
  }

  async #flush(): Promise<void> {
    await this.#writing
    const pieces = this.#gathered
    if (pieces.length === 0) return
    const at = this.#position
    this.#position += this.#gatheredBytes
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#writing = writeAll(this.#file, pieces, at)
    // Whoever writes next, or closes, hears of it.
    this.#writing.catch(() => undefined)
  }

  /** All of it is with the disk then. */
  async finish(sync: boolean): Promise<void> {
    try {
      await this.#flush()
      await this.#writing
      if (sync) await this.#file.sync()
    } finally {
      await this.#file.close()
    }
  }

  /** Keeps what is written, whatever went wrong. Never rejects. */
  async leave(): Promise<void> {
    await this.finish(false).catch(() => undefined)
  }
}

/** A file takes as much as it has room for: the rest is tried again, which tells what is wrong. */
async function writeAll(file: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let at = position
  let left = [...pieces]
  while (left.length > 0) {
    const { bytesWritten } = await file.writev(left, at)
    at += bytesWritten
    left = behind(left, bytesWritten)
  }
}

function behind(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = []
  let skip = count
  for (const piece of pieces) {
    if (skip >= piece.length) skip -= piece.length
    else {
      rest.push(skip === 0 ? piece : piece.subarray(skip))
      skip = 0
    }
  }
  return rest
}
