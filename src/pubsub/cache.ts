import { errorCodeOf, UsageError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import { markHandled } from '../base/deferred.js'
import { byteCount, milliseconds, readOptions, type OptionSpecs } from '../base/options.js'
import { decodeEntry, encodeEntry, newTagVersion, type Entry } from './cache-entry.js'
import { checkName } from './names.js'
import { NOTHING, type Values } from './values.js'

export interface CacheSettings {
  readonly ttlMs: number
  readonly staleMs: number
  readonly computeMs: number
  readonly maxValueBytes: number
}
export type CacheOptions = Partial<CacheSettings>

export const CACHE_OPTIONS: OptionSpecs<CacheSettings> = {
  ttlMs: milliseconds(60_000, 'Milliseconds that a value is fresh.'),
  staleMs: milliseconds(
    0,
    'Milliseconds behind that in which it is still given, while it is computed anew (stale-while-revalidate, RFC 5861).',
    { min: 0 },
  ),
  computeMs: milliseconds(
    10_000,
    'Milliseconds that others wait for whoever computes a value; then the next one computes it, and what comes late is not kept.',
  ),
  maxValueBytes: byteCount(1024 * 1024, 'Bytes of one value. NATS takes 1 MB by default.'),
}

/** For one value; else what the cache was opened with. */
export interface KeepOptions {
  readonly ttlMs?: number
  readonly staleMs?: number
  /** Names that it can be invalidated by, with all others that have them. */
  readonly tags?: readonly string[]
}

export interface CacheCounts {
  /** Asked for, and given as it stood there. */
  readonly hits: number
  /** Of those, behind their time. */
  readonly stale: number
  readonly misses: number
  readonly computed: number
  /** What came later than `computeMs`, or was overtaken, and was not kept. */
  readonly overtaken: number
}

/** Between a value's end and that of what is kept of it. */
const SPARE_MS = 1000
/** Tags are kept for longer than what has them; one that is lost takes its values along. */
const TAG_MS = 7 * 24 * 60 * 60 * 1000
const FIRST_LOOK_MS = 5
const LAST_LOOK_MS = 200

/**
 * Values that are computed once for all who ask, in all servers of a broker: strings, numbers and what else JSON has, and
 * `Uint8Array`. `undefined` is none.
 */
export class Cache<T = unknown> {
  readonly name: string
  readonly #values: Values
  readonly #clock: Clock
  readonly #settings: CacheSettings
  /** What is computed here, for all who ask meanwhile. */
  readonly #underWay = new Map<string, Promise<T>>()
  readonly #counts = { hits: 0, stale: 0, misses: 0, computed: 0, overtaken: 0 }

  /** @internal Use `Broker.cache`. */
  constructor(name: string, values: Values, clock: Clock, options: CacheOptions | undefined) {
    this.name = checkName('cache', name)
    this.#values = values
    this.#clock = clock
    this.#settings = readOptions('the cache', CACHE_OPTIONS, options)
  }

  get counts(): CacheCounts {
    return { ...this.#counts }
  }

  /** The value, when there is one and its time is not over. @throws as `Room.history`. */
  get(key: string): Promise<T | undefined> {
    return markHandled(this.#get(key))
  }

  /** @throws LimitError `ERR_ROOM_MESSAGE_SIZE`; UsageError `ERR_ARGUMENT` for what JSON has not. */
  set(key: string, value: T, options: KeepOptions = {}): Promise<void> {
    return markHandled(this.#set(key, value, options))
  }

  delete(key: string): Promise<void> {
    return markHandled(this.#delete(key))
  }

  /** All values with one of these tags are gone, in all servers. */
  invalidate(...tags: readonly string[]): Promise<void> {
    return markHandled(this.#invalidate(tags))
  }

  /**
   * The value, or what `compute` makes: once for all who ask meanwhile, here and in other servers. A value behind its time
   * is given at once while it is made anew, for `staleMs`. What `compute` throws is thrown to all who waited here, and is
   * not kept. While the broker is away it is computed for each server, and not kept.
   */
  getOrCompute(key: string, compute: () => T | Promise<T>, options: KeepOptions = {}): Promise<T> {
    return markHandled(this.#getOrCompute(key, compute, options))
  }

  async #get(key: string): Promise<T | undefined> {
    const { entry, isStale } = await this.#read(key)
    this.#count(entry, isStale)
    return entry?.value
  }

  async #set(key: string, value: T, options: KeepOptions): Promise<void> {
    const { bytes, keepMs } = await this.#encode(value, options)
    await this.#values.set(this.#space('v'), checkName('key', key), bytes, keepMs)
  }

  async #delete(key: string): Promise<void> {
    await this.#values.delete(this.#space('v'), checkName('key', key))
  }

  async #invalidate(tags: readonly string[]): Promise<void> {
    for (const tag of tags) checkName('tag', tag)
    await Promise.all(tags.map((tag) => this.#values.set(this.#space('t'), tag, newTagVersion(), TAG_MS)))
  }

  async #getOrCompute(key: string, compute: () => T | Promise<T>, options: KeepOptions): Promise<T> {
    checkName('key', key)
    try {
      const { entry, isStale } = await this.#read(key)
      this.#count(entry, isStale)
      if (entry === undefined) return await this.#share(key, () => this.#make(key, compute, options))
      if (isStale) this.#share(key, () => this.#make(key, compute, options)).catch(() => undefined)
      return entry.value
    } catch (error) {
      if (!isAwayError(error)) throw error
      return this.#share(key, () => this.#alone(compute))
    }
  }

  #count(entry: Entry<T> | undefined, isStale: boolean): void {
    if (entry === undefined) this.#counts.misses += 1
    else this.#counts.hits += 1
    if (isStale) this.#counts.stale += 1
  }

  #share(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#underWay.get(key)
    if (known !== undefined) return known
    const made = make().finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, made)
    return made
  }

  async #alone(compute: () => T | Promise<T>): Promise<T> {
    this.#counts.computed += 1
    return compute()
  }

  /** Computes it, unless somebody else does: then waits for that. */
  async #make(key: string, compute: () => T | Promise<T>, options: KeepOptions): Promise<T> {
    const { computeMs } = this.#settings
    const before = await this.#read(key)
    let lookMs = FIRST_LOOK_MS
    for (;;) {
      const lock = await this.#values.set(this.#space('l'), key, new Uint8Array(1), computeMs, NOTHING)
      if (lock !== undefined) break
      await this.#pause(lookMs)
      lookMs = Math.min(lookMs * 2, LAST_LOOK_MS)
      const { entry, isStale } = await this.#read(key)
      if (entry !== undefined && !isStale) return entry.value
    }
    try {
      // Between the first reading and the lock somebody else may have made it.
      const { entry, isStale, version } = await this.#read(key)
      if (entry !== undefined && !isStale && version !== before.version) return entry.value
      const value = await compute()
      this.#counts.computed += 1
      const { bytes, keepMs } = await this.#encode(value, options)
      // Whoever was slower than the lock lasts finds another value, and leaves it: the version is the fence.
      await this.#keep(key, bytes, keepMs, version)
      return value
    } finally {
      await this.#values.delete(this.#space('l'), key).catch(() => undefined)
    }
  }

  /** What was made is given, whether it can be kept or not. */
  async #keep(key: string, bytes: Uint8Array, keepMs: number, version: string): Promise<void> {
    try {
      const kept = await this.#values.set(this.#space('v'), key, bytes, keepMs, version)
      if (kept === undefined) this.#counts.overtaken += 1
    } catch (error) {
      if (!isAwayError(error)) throw error
    }
  }

  async #read(key: string): Promise<{ entry: Entry<T> | undefined; isStale: boolean; version: string }> {
    const [kept] = await this.#values.get(this.#space('v'), [checkName('key', key)])
    const entry = kept === undefined ? undefined : decodeEntry<T>(kept.bytes)
    const version = kept?.version ?? NOTHING
    const now = this.#clock.now()
    if (entry === undefined || now >= entry.staleUntilMs || !(await this.#hasTags(entry)))
      return { entry: undefined, isStale: false, version }
    return { entry, isStale: now >= entry.freshUntilMs, version }
  }

  async #hasTags({ tags }: Entry<T>): Promise<boolean> {
    const names = Object.keys(tags)
    if (names.length === 0) return true
    const found = await this.#values.get(this.#space('t'), names)
    return names.every((name, i) => tags[name] === textOf(found[i]?.bytes))
  }

  async #encode(value: T, { ttlMs, staleMs, tags = [] }: KeepOptions): Promise<{ bytes: Uint8Array; keepMs: number }> {
    const freshMs = ttlMs ?? this.#settings.ttlMs
    const behindMs = staleMs ?? this.#settings.staleMs
    if (!(freshMs >= 0 && behindMs >= 0))
      throw new UsageError('ERR_ARGUMENT', 'Cannot keep a value: expected ttlMs and staleMs from 0 up')
    const freshUntilMs = this.#clock.now() + freshMs
    const entry = { value, freshUntilMs, staleUntilMs: freshUntilMs + behindMs, tags: await this.#tagVersions(tags) }
    return { bytes: encodeEntry(entry, this.#settings.maxValueBytes), keepMs: freshMs + behindMs + SPARE_MS }
  }

  /** A tag that nobody has used yet gets its first version. */
  async #tagVersions(tags: readonly string[]): Promise<Readonly<Record<string, string>>> {
    if (tags.length === 0) return {}
    for (const tag of tags) checkName('tag', tag)
    const found = await this.#values.get(this.#space('t'), tags)
    const versions: Record<string, string> = {}
    for (const [i, tag] of tags.entries()) versions[tag] = textOf(found[i]?.bytes) || (await this.#firstVersion(tag))
    return versions
  }

  async #firstVersion(tag: string): Promise<string> {
    const made = newTagVersion()
    if ((await this.#values.set(this.#space('t'), tag, made, TAG_MS, NOTHING)) !== undefined) return textOf(made)
    const [kept] = await this.#values.get(this.#space('t'), [tag])
    return textOf(kept?.bytes)
  }

  #space(kind: 'v' | 't' | 'l'): string {
    return `${kind}:${this.name}`
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(milliseconds, resolve)
    })
  }
}

const isAwayError = (error: unknown): boolean => errorCodeOf(error) === 'ERR_BROKER_AWAY'

const textOf = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? '' : Buffer.from(bytes).toString('latin1')
