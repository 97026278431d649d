import { constants } from 'node:fs'
import { link, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import type { Hash } from 'node:crypto'
import { DONE, deferred, type Deferred } from '../base/deferred.js'
import { errorCodeOf, ProtocolError } from '../base/errors.js'
import { storageError } from './errors.js'
import { hashStart } from './file-digest.js'
import { statOf, type Place } from './target-folder.js'

/** What tells one state of a source from another. */
export interface Identity {
  readonly size: number
  readonly mtimeNs: bigint
}

/** Bytes held for the disk before the peer is made to wait. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024
const MAX_VECTOR = 256
/** Flushed to the disk in the background at such distances, so that the last flush is short. */
const FLUSH_EVERY_BYTES = 64 * 1024 * 1024

const { O_CREAT, O_EXCL, O_RDWR } = constants
// Windows has no such flag.
const O_NOFOLLOW = (constants as Partial<typeof constants>).O_NOFOLLOW ?? 0

/**
 * A file that is not whole yet: `<name>.part`, with a sidecar that says of which source it is a part, and a lock. What
 * is in it is always the start of that source, however this process ends; only a power cut can break that, and then the
 * digest of the start, which both ends compare before they go on, does not agree.
 */
export class PartialFile {
  readonly #place: Place
  readonly #file: FileHandle
  readonly #sync: boolean
  #written: number
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #writing: Promise<void> | undefined
  #room: Deferred<void> | undefined
  #failure: ProtocolError | undefined
  #flushing: Promise<void> | undefined
  #flushedAt: number
  /** Called with the offset below which everything is in the file. */
  onWritten: ((offset: number) => void) | undefined
  /** Called once when the disk takes no more: what was given since is dropped. */
  onFailed: ((error: ProtocolError) => void) | undefined

  private constructor(place: Place, file: FileHandle, start: number, sync: boolean) {
    this.#place = place
    this.#file = file
    this.#written = start
    this.#flushedAt = start
    this.#sync = sync
  }

  /**
   * Takes over what an earlier transfer of the same source left. Whoever calls holds the lock of the place.
   * @throws ProtocolError `ERR_TRANSFER_STORAGE`.
   */
  static async open(place: Place, identity: Identity, sync: boolean): Promise<PartialFile> {
    try {
      const start = await prepare(place, identity)
      const file = await open(place.part, O_RDWR | O_NOFOLLOW | (start === undefined ? O_CREAT | O_EXCL : 0), 0o600)
      return new PartialFile(place, file, start ?? 0, sync)
    } catch (cause) {
      throw cause instanceof ProtocolError ? cause : storageError('make the partial file', cause)
    }
  }

  /** How much of the source is in the file. */
  get written(): number {
    return this.#written
  }

  hashStart(hash: Hash, length: number): Promise<number> {
    return hashStart(hash, this.#file, length, () => false)
  }

  /** Begins again: what is in the file is of no use. */
  async restart(): Promise<void> {
    await this.#file.truncate(0)
    this.#written = 0
    this.#flushedAt = 0
  }

  get failure(): ProtocolError | undefined {
    return this.#failure
  }

  /** Takes bytes, which are the file’s from now on. Resolves when there is room for more; never rejects. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return DONE
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    this.#writing ??= this.#writeAll()
    if (this.#pendingBytes < MAX_PENDING_BYTES) return DONE
    this.#room ??= deferred()
    return this.#room.promise
  }

  /** Writes what is pending, in as few calls as it can; a failure is kept for the next call. */
  async #writeAll(): Promise<void> {
    try {
      while (this.#pendingBytes > 0) {
        const taken = this.#pending.splice(0, MAX_VECTOR)
        await this.#writeVector(taken)
      }
      this.#writing = undefined
    } catch (cause) {
      this.#writing = undefined
      this.#fail(storageError('store the file', cause))
    }
  }

  #fail(error: ProtocolError): void {
    this.#pending = []
    this.#pendingBytes = 0
    this.#room?.resolve()
    this.#room = undefined
    if (this.#failure !== undefined) return
    this.#failure = error
    this.onFailed?.(error)
  }

  async #writeVector(parts: Uint8Array[]): Promise<void> {
    let left = parts
    while (left.length > 0) {
      const { bytesWritten } = await this.#file.writev(left, this.#written)
      this.#written += bytesWritten
      this.#pendingBytes -= bytesWritten
      left = dropBytes(left, bytesWritten)
      this.onWritten?.(this.#written)
      this.#flushBehind()
      if (this.#pendingBytes < MAX_PENDING_BYTES / 2) {
        this.#room?.resolve()
        this.#room = undefined
      }
    }
  }

  #flushBehind(): void {
    if (!this.#sync || this.#flushing !== undefined || this.#written - this.#flushedAt < FLUSH_EVERY_BYTES) return
    this.#flushedAt = this.#written
    this.#flushing = this.#file.datasync().then(
      () => {
        this.#flushing = undefined
      },
      (cause: unknown) => {
        this.#flushing = undefined
        this.#fail(storageError('flush the file to the disk', cause))
      },
    )
  }

  /** Resolves when everything that was given is in the file. @throws ProtocolError `ERR_TRANSFER_STORAGE`. */
  async settle(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
  }

  /**
   * Flushes it and gives it its name, at once and whole. With `overwrite` whatever had the name is gone then; without,
   * it is left alone, and this is refused.
   */
  async finish(mode: number, mtimeNs: bigint, overwrite: boolean): Promise<void> {
    await this.settle()
    try {
      await this.#flushing
      await this.#file.chmod(mode & 0o777 & ~process.umask())
      const mtime = Number(mtimeNs) / 1e9
      await this.#file.utimes(mtime, mtime)
      if (this.#sync) await this.#file.sync()
      await this.#file.close()
      await (overwrite ? rename(this.#place.part, this.#place.target) : renameToFree(this.#place))
      await rm(this.#place.sidecar, { force: true })
    } catch (cause) {
      throw storageError('finish the file', cause)
    }
  }

  /** Closes it and keeps what came, for resuming. Never rejects. */
  async keep(): Promise<void> {
    await this.#writing
    await this.#flushing
    await this.#file.close().catch(() => undefined)
  }

  /** Closes and removes it. Never rejects. */
  async discard(): Promise<void> {
    await this.#writing
    await this.#flushing
    await this.#file.close().catch(() => undefined)
    await rm(this.#place.part, { force: true }).catch(() => undefined)
    await rm(this.#place.sidecar, { force: true }).catch(() => undefined)
  }
}

/** A rename that replaces nothing, where the file system has hard links. */
async function renameToFree({ part, target }: Place): Promise<void> {
  try {
    await link(part, target)
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST' || (await statOf(target)) !== undefined) throw error
    await rename(part, target)
    return
  }
  await rm(part, { force: true })
}

/** Removes what an interruption left beside a file that is whole. */
export async function removeLeftovers({ part, sidecar }: Place): Promise<void> {
  if ((await statOf(sidecar)) === undefined) return
  await rm(part, { force: true })
  await rm(sidecar, { force: true })
}

/** Resolves with how much of this source is there already; `undefined` when the file has to be made. */
async function prepare({ part, sidecar }: Place, identity: Identity): Promise<number | undefined> {
  const text = `moorage 1 ${identity.size} ${identity.mtimeNs}\n`
  const found = await statOf(part)
  const noted = (await statOf(sidecar))?.isFile() === true ? await readFile(sidecar, 'utf8') : undefined
  if (found !== undefined && (!found.isFile() || noted === undefined)) {
    throw new ProtocolError('ERR_TRANSFER_STORAGE', `Cannot take the file: ${part} is in the way and is not ours`, {
      details: { reason: 'exists' },
    })
  }
  // One with two names was finished, but for the removal of this one.
  const isOurs = found !== undefined && noted === text && found.nlink === 1
  if (isOurs && found.size <= identity.size) return found.size
  // In this order, so that a partial file without its sidecar is never left.
  await rm(part, { force: true })
  await rm(sidecar, { force: true })
  const file = await open(sidecar, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    await file.writeFile(text)
  } finally {
    await file.close()
  }
  return undefined
}

function dropBytes(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count
  let first = 0
  for (let part = parts[first]; part !== undefined && part.length <= left; part = parts[first]) {
    left -= part.length
    first += 1
  }
  const [head, ...rest] = parts.slice(first)
  return head === undefined ? [] : [head.subarray(left), ...rest]
}
