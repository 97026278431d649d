/** A response that is kept: with what decides whether it may be used, and its body as it was sent. */
export interface StoredResponse {
  /** As JSON; the cache's own. */
  readonly policy: unknown
  readonly status: number
  readonly reason: string
  readonly httpVersion: string
  readonly body: Uint8Array
}

/** Where a cache keeps its responses. A key has one for each form of what its URL gives (`Vary`), the newest first. */
export interface CacheStore {
  read(key: string): Promise<readonly StoredResponse[]> | readonly StoredResponse[]
  /** In place of what was there; none of them takes the key away. */
  write(key: string, responses: readonly StoredResponse[]): Promise<void> | void
}

export interface CacheLimits {
  /** Of all bodies. */
  readonly maxBytes?: number | undefined
  /** URLs. */
  readonly maxEntries?: number | undefined
}

/** What is kept with each response beside its body, about. */
const HEAD_BYTES = 1024

export const sizeOf = (responses: readonly StoredResponse[]): number =>
  responses.reduce((total, { body }) => total + body.length + HEAD_BYTES, 0)

/** In memory: 64 MiB and 1,000 URLs by default; what was used longest ago makes room. */
export class MemoryCacheStore implements CacheStore {
  readonly #maxBytes: number
  readonly #maxEntries: number
  readonly #entries = new Map<string, readonly StoredResponse[]>()
  #bytes = 0

  constructor({ maxBytes = 64 * 1024 * 1024, maxEntries = 1000 }: CacheLimits = {}) {
    this.#maxBytes = maxBytes
    this.#maxEntries = maxEntries
  }

  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#entries.size
  }

  read(key: string): readonly StoredResponse[] {
    const found = this.#entries.get(key)
    if (found === undefined) return []
    this.#entries.delete(key)
    this.#entries.set(key, found)
    return found
  }

  write(key: string, responses: readonly StoredResponse[]): void {
    this.#delete(key)
    const size = sizeOf(responses)
    if (responses.length === 0 || size > this.#maxBytes) return
    this.#entries.set(key, responses)
    this.#bytes += size
    for (const [oldest] of this.#entries) {
      if (this.#bytes <= this.#maxBytes && this.#entries.size <= this.#maxEntries) return
      this.#delete(oldest)
    }
  }

  #delete(key: string): void {
    const found = this.#entries.get(key)
    if (found === undefined) return
    this.#entries.delete(key)
    this.#bytes -= sizeOf(found)
  }
}
