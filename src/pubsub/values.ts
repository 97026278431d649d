/** A value as it was read, with what tells it from every other that stood under its key. */
export interface Kept {
  readonly bytes: Uint8Array
  readonly version: string
}

/** What stood under a key when it was read: a version, or nothing. */
export const NOTHING = ''

/**
 * Values under keys, which can be compared and set; each is forgotten when its time is over, or when there are too many.
 * Whoever sets one gets its version, `undefined` when another one stood there than was expected.
 */
export interface Values {
  get(space: string, keys: readonly string[]): Promise<readonly (Kept | undefined)[]>
  set(space: string, key: string, bytes: Uint8Array, ttlMs: number, expected?: string): Promise<string | undefined>
  delete(space: string, key: string): Promise<void>
}
