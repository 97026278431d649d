import { open, type FileHandle } from 'node:fs/promises'

/** Written in one step: a call for each piece that comes would cost more than what it writes. */
const STEP_BYTES = 512 * 1024

/** Writes pieces one behind the other, in large steps: while one is under way the next is gathered. */
export class FileWriter {
  readonly #file: FileHandle
  /** Where the gathered bytes belong. */
  #position: number
  #gathered: Buffer
  #count = 0
  /** The memory that the step before last was written from. */
  #spare: Buffer | undefined
  #writing: Promise<void> | undefined
  #written: number
  #failure: { readonly error: unknown } | undefined

  private constructor(file: FileHandle, position: number, stepBytes: number) {
    this.#file = file
    this.#position = position
    this.#written = position
    this.#gathered = Buffer.allocUnsafeSlow(stepBytes)
  }

  /**
   * An existing file is kept up to `position`, and cut there unless `keepsRest`. `expected` bytes come, where that is known.
   */
  static async open(
    path: string,
    position: number,
    expected: number = Infinity,
    keepsRest: boolean = false,
  ): Promise<FileWriter> {
    const file = await open(path, position === 0 && !keepsRest ? 'w' : 'r+', 0o666)
    try {
      if (position > 0 && !keepsRest) await file.truncate(position)
    } catch (error) {
      await file.close()
      throw error
    }
    return new FileWriter(file, position, Math.max(1, Math.min(STEP_BYTES, expected)))
  }

  /** Bytes that were given so far, with those that were there. */
  get length(): number {
    return this.#position + this.#count
  }

  /** Up to where all of it is with the system. */
  get written(): number {
    return this.#written
  }

  /**
   * Copies the bytes. A promise says that no more are wanted until it resolves, as the disk is behind; it rejects with what
   * the file system says, of earlier bytes perhaps.
   */
  take(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    const room = this.#gathered.length - this.#count
    if (bytes.length < room) {
      this.#gathered.set(bytes, this.#count)
      this.#count += bytes.length
      return undefined
    }
    this.#gathered.set(bytes.subarray(0, room), this.#count)
    this.#count += room
    const rest = bytes.subarray(room)
    if (this.#writing === undefined) {
      this.#step()
      return rest.length === 0 ? undefined : this.take(rest)
    }
    return this.#takeLater(Buffer.from(rest))
  }

  /**
   * Lets somebody else write what comes next: `write` is told where, and says how many bytes it wrote. Nothing is to be
   * given meanwhile. @throws what `write` did, and what the file system says of earlier bytes.
   */
  async receive(write: (descriptor: number, position: number) => Promise<number>): Promise<number> {
    await this.#flush()
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure.error
    const before = this.#position
    // Whoever leaves the file meanwhile waits for it.
    this.#writing = this.#receive(write)
    await this.#writing
    return this.#position - before
  }

  async #receive(write: (descriptor: number, position: number) => Promise<number>): Promise<void> {
    try {
      this.#position += await write(this.#file.fd, this.#position)
      this.#written = this.#position
    } catch (error) {
      this.#failure = { error }
      throw error
    } finally {
      this.#writing = undefined
    }
  }

  async #takeLater(rest: Uint8Array): Promise<void> {
    await this.#flush()
    if (rest.length > 0) await this.take(rest)
  }

  /** Begins to write what is gathered. None is under way. */
  #step(): void {
    const full = this.#gathered
    const count = this.#count
    const at = this.#position
    this.#position += count
    this.#count = 0
    this.#gathered = this.#spare ?? Buffer.allocUnsafeSlow(full.length)
    this.#spare = undefined
    this.#writing = writeAll(this.#file, full.subarray(0, count), at).then(
      () => {
        this.#written = at + count
        this.#spare = full
        this.#writing = undefined
      },
      (error: unknown) => {
        // Whoever gives the next bytes, or closes, hears of it.
        this.#failure = { error }
        this.#writing = undefined
      },
    )
  }

  async #flush(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#count > 0) this.#step()
  }

  /** All of it is with the system then, and with `sync` on the disk. */
  async finish(sync: boolean): Promise<void> {
    try {
      await this.#flush()
      await this.#writing
      if (this.#failure !== undefined) throw this.#failure.error
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
async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
