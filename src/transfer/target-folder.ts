import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { chmod, lstat, mkdir, realpath, utimes } from 'node:fs/promises'
import { errorCodeOf, ProtocolError } from '../base/errors.js'
import { storageError } from './errors.js'
import type { Offer } from './messages.js'
import { LOCK_ENDING, parseName, PART_ENDING, partBaseOf, showName, SIDECAR_ENDING } from './names.js'

/** Where a file goes, and what stands beside it until it is whole. */
export interface Place {
  readonly target: string
  readonly part: string
  readonly sidecar: string
  readonly lock: string
}

/**
 * The folder that a receiver fills. Names are checked as text first; then each folder on the way is looked at, and a
 * symlink is followed only when it stays inside. Somebody who can change folders on this machine at the same time is
 * not guarded against: Node has no openat().
 */
export class TargetFolder {
  readonly root: string

  private constructor(root: string) {
    this.root = root
  }

  /** Makes the folder when it is missing. @throws ProtocolError `ERR_TRANSFER_STORAGE`. */
  static async open(path: string): Promise<TargetFolder> {
    try {
      await mkdir(path, { recursive: true })
      return new TargetFolder(await realpath(path))
    } catch (cause) {
      throw storageError(`use the folder ${path}`, cause)
    }
  }

  /** @throws ProtocolError `ERR_TRANSFER_NAME`, `ERR_TRANSFER_STORAGE`. */
  async placeOf(name: string): Promise<Place> {
    const segments = parseName(name)
    const last = segments.at(-1) ?? ''
    const folder = await this.#enter(name, segments.slice(0, -1))
    const base = partBaseOf(last, (text) => createHash('sha256').update(text).digest('hex'))
    const target = `${folder}/${last}`
    const part = `${folder}/${base}${PART_ENDING}`
    return { target, part, sidecar: `${folder}/${base}${SIDECAR_ENDING}`, lock: `${folder}/${base}${LOCK_ENDING}` }
  }

  /** Makes a folder, and those it is in. Senders name a folder after what is in it, so its mode and time stay. */
  async makeFolder({ name, mode, mtimeNs }: Offer): Promise<void> {
    const path = await this.#enter(name, parseName(name))
    const mtime = Number(mtimeNs) / 1e9
    try {
      await chmod(path, mode & 0o777 & ~process.umask())
      await utimes(path, mtime, mtime)
    } catch (cause) {
      throw storageError(`set the mode of ${showName(name)}`, cause)
    }
  }

  async #enter(name: string, segments: readonly string[]): Promise<string> {
    let path = this.root
    for (const segment of segments) {
      const next = path === '/' ? `/${segment}` : `${path}/${segment}`
      try {
        path = await this.#step(name, next)
      } catch (cause) {
        throw cause instanceof ProtocolError ? cause : storageError(`make the folder of ${showName(name)}`, cause)
      }
    }
    return path
  }

  async #step(name: string, path: string): Promise<string> {
    let found = await statOf(path)
    if (found === undefined) {
      await mkdir(path).catch((error: unknown) => {
        // Another connection made it at the same time: what it is now is looked at below.
        if (errorCodeOf(error) !== 'EEXIST') throw error
      })
      found = await statOf(path)
    }
    if (found?.isDirectory() === true) return path
    const real = found?.isSymbolicLink() === true ? await realpath(path) : undefined
    const isInside = real !== undefined && (real === this.root || real.startsWith(`${this.root}/`))
    if (real !== undefined && isInside && (await lstat(real)).isDirectory()) return real
    const why = real !== undefined && !isInside ? 'a link on its way leads out of the folder' : 'a file is in its way'
    throw new ProtocolError('ERR_TRANSFER_NAME', `Cannot take ${showName(name)}: ${why}`, {
      details: { reason: 'name' },
    })
  }
}

/** Of the link itself, not of what it leads to; `undefined` when nothing is there. */
export async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
