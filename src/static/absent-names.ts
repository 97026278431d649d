import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { BoundedCache } from './bounded-cache.js'
import { identityOf, isSameIdentity, isSettled, type FileIdentity } from './file-identity.js'

const LOOK = { bigint: true, throwIfNoEntry: false } as const
const MAX_NAMES = 8192
const MAX_BYTES = 16 * 1024 * 1024

interface Known {
  readonly folder: FileIdentity
  readonly endings: Set<string>
}

/**
 * Names that were looked for beside a file and are not there: its compressed twins, most of all. What comes into a folder
 * changes the folder, so one look at that stands for a look for each of them.
 */
export class AbsentNames {
  readonly #known: BoundedCache<Known> = new BoundedCache(MAX_BYTES, MAX_NAMES)
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether `path` with an ending is known not to be there now: a function for several endings, which looks once. */
  of(path: string): (ending: string) => boolean {
    const known = this.#known.get(path)
    if (known === undefined) return () => false
    let isUnchanged: boolean | undefined
    return (ending) => {
      if (!known.endings.has(ending)) return false
      const found = isUnchanged === undefined ? look(dirname(path)) : undefined
      isUnchanged ??= found !== undefined && isSameIdentity(found, known.folder)
      return isUnchanged
    }
  }

  /** What the folder of `path` is now; `undefined` when a change of it might not be seen. Ask before looking for a name. */
  folderOf(path: string): FileIdentity | undefined {
    const found = look(dirname(path))
    return found !== undefined && isSettled(found, this.#now()) ? identityOf(found) : undefined
  }

  /** `path` with the ending was looked for after the folder was asked for, and is not there. */
  add(path: string, ending: string, folder: FileIdentity): void {
    let known = this.#known.get(path)
    if (known === undefined || !isSameIdentity(known.folder, folder)) {
      known = { folder, endings: new Set() }
      this.#known.set(path, known, 2 * path.length)
    }
    known.endings.add(ending)
  }
}

function look(folder: string): FileIdentity | undefined {
  try {
    return statSync(folder, LOOK)
  } catch {
    return undefined
  }
}
