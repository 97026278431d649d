import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { errorCodeOf } from '../../base/errors.js'
import { HttpError } from '../../http/response.js'
import type { Digest } from './fields.js'
import type { UploadFolder } from './folder.js'
import { outOfSpace, storageError } from './storage.js'

/** At such distances it is looked whether there is room, and what came is flushed, so that the last flush is short. */
const CHECK_EVERY_BYTES = 64 * 1024 * 1024
const HASH_BYTES = 1024 * 1024
const NO_MODES = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** What bytes come from: the body of a request, a part of a form. */
export interface UploadSource {
  read(): Promise<Uint8Array | null>
}

export interface PartLimits {
  /** Of the whole file. */
  readonly maxBytes: number
  readonly minFreeBytes: number
}

/** A file that is not whole yet, under a name that is never served. */
export class UploadPart {
  readonly name: string
  readonly #folder: UploadFolder
  readonly #file: FileHandle
  readonly #limits: PartLimits
  #size: number
  #checkedAt: number

  private constructor(folder: UploadFolder, name: string, file: FileHandle, size: number, limits: PartLimits) {
    this.#folder = folder
    this.name = name
    this.#file = file
    this.#size = size
    this.#checkedAt = size
    this.#limits = limits
  }

  static async create(folder: UploadFolder, name: string, limits: PartLimits): Promise<UploadPart> {
    try {
      return new UploadPart(folder, name, await folder.create(name), 0, limits)
    } catch (error) {
      throw storageError(error)
    }
  }

  static async reopen(folder: UploadFolder, name: string, limits: PartLimits): Promise<UploadPart> {
    const file = await folder.reopen(name)
    return new UploadPart(folder, name, file, (await file.stat()).size, limits)
  }

  get size(): number {
    return this.#size
  }

  /** @throws HttpError 507 when so many more bytes would leave less room than is to be left. */
  async checkRoom(count: number): Promise<void> {
    const { minFreeBytes } = this.#limits
    if (minFreeBytes > 0 && (await this.#folder.freeBytes()) - count < minFreeBytes) throw outOfSpace()
  }

  /**
   * Takes all that comes, and what came before something failed. `flushed` is told now and then of a length that is on
   * the disk.
   * @throws HttpError 413, 507; what ended the source.
   */
  async take(source: UploadSource, flushed?: (size: number) => void): Promise<void> {
    for (let bytes = await source.read(); bytes !== null; bytes = await source.read()) {
      if (this.#size + bytes.length > this.#limits.maxBytes)
        throw new HttpError(413, `The file has more than ${this.#limits.maxBytes} bytes`)
      try {
        for (let at = 0; at < bytes.length;) {
          const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#size)
          at += bytesWritten
          this.#size += bytesWritten
        }
        if (this.#size - this.#checkedAt < CHECK_EVERY_BYTES) continue
        this.#checkedAt = this.#size
        await this.#file.datasync()
      } catch (error) {
        throw storageError(error)
      }
      await this.checkRoom(0)
      flushed?.(this.#size)
    }
  }

  /** @throws HttpError 400 for a digest that is not the one of this file. */
  async check(digests: readonly Digest[]): Promise<void> {
    if (digests.length === 0) return
    const hashes = digests.map(({ algorithm }) => createHash(algorithm))
    const buffer = Buffer.allocUnsafe(Math.min(HASH_BYTES, Math.max(1, this.#size)))
    for (let at = 0; at < this.#size;) {
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) break
      for (const hash of hashes) hash.update(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
    for (const [i, { value }] of digests.entries())
      if (hashes[i]?.digest().equals(value) !== true)
        throw new HttpError(400, 'What came is not what the field Repr-Digest tells of')
  }

  /** All of it is on the disk. */
  async flush(): Promise<void> {
    try {
      await this.#file.datasync()
    } catch (error) {
      throw storageError(error)
    }
  }

  /** Ready for its name, with the mode that new files have. */
  async finish(): Promise<void> {
    try {
      await this.#file.chmod(0o666 & ~process.umask()).catch((error: unknown) => {
        // FAT and some network file systems have no modes of files: theirs is that of the whole file system.
        if (!NO_MODES.has(errorCodeOf(error) ?? '')) throw error
      })
      await this.#file.sync()
      await this.#file.close()
    } catch (error) {
      throw storageError(error)
    }
  }

  /** Never rejects; also when it is closed. */
  async keep(): Promise<void> {
    await this.#file.close().catch(() => undefined)
  }

  /** Never rejects. */
  async discard(): Promise<void> {
    await this.keep()
    await this.#folder.remove(this.name).catch(() => undefined)
  }
}
