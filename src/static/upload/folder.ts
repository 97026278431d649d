import { constants } from 'node:fs'
import { link, lstat, open, readdir, readFile, rename, rm, statfs, type FileHandle } from 'node:fs/promises'
import { errorCodeOf } from '../../base/errors.js'
import type { EntityTag } from '../../engine/http/etag.js'
import type { CurrentRepresentation } from '../../engine/http/preconditions.js'
import { versionOf } from '../file-identity.js'
import { openEntry, type PathRules } from '../resolve-path.js'

const { O_CREAT, O_EXCL, O_RDWR } = constants
// Windows has no such flag.
const O_NOFOLLOW = (constants as Partial<typeof constants>).O_NOFOLLOW ?? 0

/** What has a name now, of whatever kind. */
export interface Found extends CurrentRepresentation {
  readonly isFile: boolean
  readonly size: number
  readonly links: number
  readonly changedMs: number
  readonly etag?: EntityTag
}

const NOTHING: Found = { exists: false, isFile: false, size: 0, links: 0, changedMs: 0 }

/**
 * A folder that files are put into. It stays open, and on Linux names are looked up in what is open: a folder on the way
 * that somebody swaps for a link meanwhile changes nothing.
 */
export class UploadFolder {
  readonly #file: FileHandle
  readonly #path: string

  private constructor(file: FileHandle, path: string) {
    this.#file = file
    this.#path = process.platform === 'linux' ? `/proc/self/fd/${file.fd}` : path
  }

  /** `undefined` when there is no such folder that may be served. */
  static async open(rules: PathRules, folders: readonly string[]): Promise<UploadFolder | undefined> {
    const entry = await openEntry(rules, folders)
    if (entry?.kind === 'folder') return new UploadFolder(entry.file, entry.path)
    await entry?.file.close()
    return undefined
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  pathOf(name: string): string {
    return `${this.#path}/${name}`
  }

  names(): Promise<string[]> {
    return readdir(this.#path)
  }

  /** Of the name itself, not of what a link leads to. */
  async look(name: string): Promise<Found> {
    try {
      const found = await lstat(this.pathOf(name), { bigint: true })
      return {
        exists: true,
        isFile: found.isFile(),
        size: Number(found.size),
        links: Number(found.nlink),
        changedMs: Number(found.mtimeMs),
        etag: { value: versionOf(found), weak: false },
        lastModifiedMs: Number(found.mtimeMs),
      }
    } catch (error) {
      if (errorCodeOf(error) === 'ENOENT') return NOTHING
      throw error
    }
  }

  /** A new file that nobody else may read yet. */
  create(name: string): Promise<FileHandle> {
    return open(this.pathOf(name), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  }

  reopen(name: string): Promise<FileHandle> {
    return open(this.pathOf(name), O_RDWR | O_NOFOLLOW)
  }

  read(name: string): Promise<string> {
    return readFile(this.pathOf(name), 'utf8')
  }

  remove(name: string): Promise<void> {
    return rm(this.pathOf(name), { force: true })
  }

  rename(from: string, to: string): Promise<void> {
    return rename(this.pathOf(from), this.pathOf(to))
  }

  /** A rename that replaces nothing, where the file system has hard links. False when the name is taken. */
  async renameToFree(from: string, to: string): Promise<boolean> {
    try {
      await link(this.pathOf(from), this.pathOf(to))
    } catch (error) {
      if (errorCodeOf(error) === 'EEXIST') return false
      if (!NO_LINKS.has(errorCodeOf(error) ?? '')) throw error
      if ((await this.look(to)).exists) return false
      await this.rename(from, to)
      return true
    }
    await this.remove(from)
    return true
  }

  /** What was renamed is so after a power cut too. */
  async sync(): Promise<void> {
    await this.#file.sync().catch((error: unknown) => {
      // Some file systems, and Windows, do not flush folders.
      if (!['EINVAL', 'EPERM', 'EISDIR', 'ENOTSUP'].includes(errorCodeOf(error) ?? '')) throw error
    })
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#path)
    return bavail * bsize
  }
}

const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])
