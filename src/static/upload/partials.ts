import { errorCodeOf, ProtocolError } from '../../base/errors.js'
import { deferred, type Deferred } from '../../base/deferred.js'
import { HttpError } from '../../http/response.js'
import { lockPart } from '../../transfer/part-lock.js'
import type { UploadFolder } from './folder.js'
import { lockName, partName, stateName, uploadIdOf } from './names.js'
import type { UploadSettings } from './options.js'
import type { UploadSource } from './part.js'
import type { Conditions } from './publish.js'
import { storageError } from './storage.js'

/** What is kept of an upload beside its bytes, so that it can go on after any end of this process. */
export interface PartialState {
  readonly name: string
  /** As the client told, or how long it was in the end. */
  readonly length: number | undefined
  readonly digest: string | undefined
  readonly conditions: Conditions
  /** `finishing`: all of it is there and is about to get its name; it has, when the part is gone. */
  readonly stage: 'open' | 'finishing' | 'done'
}

const isState = (value: unknown): value is PartialState =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'conditions' in value &&
  typeof value.conditions === 'object' &&
  value.conditions !== null &&
  'stage' in value

/** `undefined` when there is no such upload. */
export async function readState(folder: UploadFolder, id: string): Promise<PartialState | undefined> {
  try {
    const state: unknown = JSON.parse(await folder.read(stateName(id)))
    return isState(state) ? state : undefined
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Replaces it whole, and on the disk. */
export async function writeState(folder: UploadFolder, id: string, state: PartialState): Promise<void> {
  const fresh = `${stateName(id)}.new`
  try {
    await folder.remove(fresh)
    const file = await folder.create(fresh)
    try {
      await file.writeFile(JSON.stringify(state))
      await file.sync()
    } finally {
      await file.close()
    }
    await folder.rename(fresh, stateName(id))
    await folder.sync()
  } catch (error) {
    throw storageError(error)
  }
}

export async function removePartial(folder: UploadFolder, id: string): Promise<void> {
  await folder.remove(partName(id))
  await folder.remove(stateName(id))
}

/** How long an upload that is complete still tells so, for a client that did not get the answer. */
export const DONE_KEPT_MS: number = 10 * 60_000

/** Removes what was cut too long ago, of any kind. Returns how many uploads wait for being resumed. */
export async function sweep(folder: UploadFolder, { partialAgeMs }: UploadSettings): Promise<number> {
  const newest = new Map<string, number>()
  const waiting = new Set<string>()
  const names = (await folder.names()).filter((name) => uploadIdOf(name) !== undefined)
  for (const name of names) {
    const id = uploadIdOf(name) ?? ''
    const { exists, changedMs } = await folder.look(name)
    if (exists) newest.set(id, Math.max(newest.get(id) ?? 0, changedMs))
    if (name === partName(id)) waiting.add(id)
  }
  const now = Date.now()
  for (const name of names) {
    const id = uploadIdOf(name) ?? ''
    const keptMs = waiting.has(id) ? partialAgeMs : Math.min(partialAgeMs, DONE_KEPT_MS)
    if (now - (newest.get(id) ?? now) >= keptMs && !holds.has(id)) await folder.remove(name)
  }
  return [...waiting].filter((id) => now - (newest.get(id) ?? now) < partialAgeMs).length
}

/** @throws HttpError 503 when too many uploads wait. */
export async function makeRoomForPartial(folder: UploadFolder, settings: UploadSettings): Promise<void> {
  if ((await sweep(folder, settings)) < settings.maxPartials) return
  throw new HttpError(503, 'Too many uploads of this folder wait for being resumed', {
    headers: { 'Retry-After': '60' },
  })
}

const holds = new Map<string, Hold>()
/** How long another process may hold an upload that is asked for; then the client asks again. */
const MAX_LOCK_TRIES = 40
const LOCK_TRY_MS = 50

/**
 * One request at a time has an upload. In this thread the one before is ended, whose client has given it up, as the
 * draft has it; in another process it is waited for.
 */
export class Hold {
  readonly #id: string
  readonly #released: Deferred<void> = deferred()
  #stop: ((error: Error) => void) | undefined
  #isStopped = false
  #unlock: (() => Promise<void>) | undefined

  private constructor(id: string) {
    this.#id = id
  }

  /** @throws HttpError 503. */
  static async take(folder: UploadFolder, id: string): Promise<Hold> {
    for (let before = holds.get(id); before !== undefined; before = holds.get(id)) await before.#end()
    const hold = new Hold(id)
    holds.set(id, hold)
    try {
      hold.#unlock = await lockSoon(folder.pathOf(lockName(id)))
      return hold
    } catch (error) {
      await hold.release()
      throw error
    }
  }

  /** Reads until somebody else wants this upload. */
  reading(source: UploadSource): UploadSource {
    return {
      read: () =>
        new Promise((resolve, reject) => {
          if (this.#isStopped) reject(taken())
          this.#stop = reject
          source.read().then(resolve, reject)
        }),
    }
  }

  #end(): Promise<void> {
    this.#isStopped = true
    this.#stop?.(taken())
    return this.#released.promise
  }

  async release(): Promise<void> {
    await this.#unlock?.()
    if (holds.get(this.#id) === this) holds.delete(this.#id)
    this.#released.resolve()
  }
}

const taken = (): HttpError => new HttpError(409, 'Another request goes on with this upload')

async function lockSoon(path: string): Promise<() => Promise<void>> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await lockPart(path)
    } catch (error) {
      // Two threads of one process may have made the file beside it at the same time.
      if (!(error instanceof ProtocolError) && errorCodeOf(error) !== 'EEXIST') throw storageError(error)
      if (tries === MAX_LOCK_TRIES)
        throw new HttpError(503, 'Another request has this upload', { headers: { 'Retry-After': '1' }, cause: error })
      await new Promise((resolve) => setTimeout(resolve, LOCK_TRY_MS))
    }
  }
}
