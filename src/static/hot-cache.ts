import { lstatSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fastLook, type FileNumbers, type LookAtFile } from '../http/system-files.js'
import { BoundedCache } from './bounded-cache.js'
import { readState } from './file-body.js'
import { isSameIdentity, isSettled, type FileIdentity } from './file-identity.js'
import type { Representation } from './representation.js'
import type { OpenEntry, PathRules } from './resolve-path.js'

const LOOK = { bigint: true, throwIfNoEntry: false } as const

/** Whether what stands there is in the state that was kept. The addon looks in half the time: it makes no object of it. */
function isStill(look: LookAtFile | undefined, path: string, kept: KeptIdentity, follows: boolean): boolean {
  if (look !== undefined) return look(path, follows, kept.numbers)
  const found = follows ? statSync(path, LOOK) : lstatSync(path, LOOK)
  return found !== undefined && isSameIdentity(found, kept.identity)
}

interface KeptIdentity {
  readonly identity: FileIdentity
  readonly numbers: FileNumbers
}

function keptIdentity(identity: FileIdentity): KeptIdentity {
  const { dev, ino, size, mtimeNs, ctimeNs } = identity
  return { identity, numbers: BigInt64Array.of(dev, ino, size, mtimeNs, ctimeNs) }
}

interface HotFile {
  readonly path: string
  readonly real: string
  readonly identity: KeptIdentity
  readonly form: Representation
}

export interface HotCacheLimits {
  readonly maxCachedBytes: number
  readonly maxCachedFiles: number
  readonly maxCachedFileBytes: number
}

/**
 * Small files in memory. Each is looked at before each use, synchronously: a look costs 2 µs where one that is waited for
 * costs 20, and the system has at hand what it looked at a moment ago. It answers as opening the file would: not with what
 * has changed, and not with what lies elsewhere now.
 *
 * One thing is not seen: what a program writes through a memory map, of which the system tells when it has written it back.
 */
export class HotCache {
  readonly #rules: PathRules
  readonly #files: BoundedCache<HotFile>
  readonly #maxFileBytes: number
  readonly #now: () => number
  readonly #look: LookAtFile | undefined = fastLook()

  constructor(rules: PathRules, limits: HotCacheLimits, now: () => number) {
    this.#rules = rules
    this.#files = new BoundedCache(limits.maxCachedBytes, limits.maxCachedFiles)
    this.#maxFileBytes = limits.maxCachedFileBytes
    this.#now = now
  }

  get count(): number {
    return this.#files.count
  }

  /** The file of this name, if it is held and has not changed. */
  find(name: string): Representation | undefined {
    const file = this.#files.get(name)
    if (file === undefined) return undefined
    if (this.#isThere(file)) return file.form
    this.#files.delete(name)
    return undefined
  }

  #isThere({ path, real, identity }: HotFile): boolean {
    try {
      if (this.#rules.symlinks === 'follow') return isStill(this.#look, path, identity, true)
      // A file that stands in the root itself has no folder on its way that could be another one now. For the others the
      // whole way is looked at: a folder that was moved away leaves its files as they were.
      if (real !== path || dirname(path) !== this.#rules.root) {
        if (realpathSync.native(path) !== real) return false
      }
      return isStill(this.#look, real, identity, false)
    } catch {
      // Opening it will say why.
      return false
    }
  }

  /**
   * Reads a file that is open into memory, if it is small, and a change of it would be seen from now on; returns what
   * `form` makes of its bytes, to be held under this name.
   */
  async keep(
    name: string,
    { file, path, real, size, identity }: OpenEntry,
    form: (bytes: Uint8Array) => Representation,
  ): Promise<Representation | undefined> {
    if (size > this.#maxFileBytes || !this.#files.fits(size) || !isSettled(identity, this.#now())) return undefined
    const bytes = await readState(file, identity)
    if (bytes === undefined) return undefined
    const made = form(bytes)
    this.#files.set(name, { path, real, identity: keptIdentity(identity), form: made }, size)
    return made
  }
}
