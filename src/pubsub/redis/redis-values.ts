import type { Kept, Values } from '../values.js'
import { readKept, textOf } from './replies.js'
import type { Argument } from './redis-connection.js'
import { SCRIPTS, type Script } from './scripts.js'

/** What is asked of Redis for values. */
export interface ValueCalls {
  call(bytes: number, ...command: Argument[]): Promise<unknown>
  run(bytes: number, script: Script, keys: readonly string[], given: readonly Argument[]): Promise<unknown>
}

/** Values at Redis: each a hash of its version and its bytes, which Redis forgets when its time is over. */
export class RedisValues implements Values {
  readonly #calls: ValueCalls
  readonly #prefix: string
  readonly #broker: string
  #sequence = 0

  constructor(calls: ValueCalls, prefix: string, broker: string) {
    this.#calls = calls
    this.#prefix = prefix
    this.#broker = broker
  }

  get(space: string, keys: readonly string[]): Promise<readonly (Kept | undefined)[]> {
    return Promise.all(
      keys.map(async (key) => readKept(await this.#calls.call(0, 'HMGET', this.#key(space, key), 'v', 'd'))),
    )
  }

  async set(
    space: string,
    key: string,
    bytes: Uint8Array,
    ttlMs: number,
    expected: string = '*',
  ): Promise<string | undefined> {
    this.#sequence += 1
    const version = `${this.#broker}.${this.#sequence.toString(36)}`
    const given = [Buffer.from(bytes), String(Math.max(1, Math.ceil(ttlMs))), expected, version]
    const set = await this.#calls.run(bytes.length, SCRIPTS.set, [this.#key(space, key)], given)
    return set === null ? undefined : textOf(set)
  }

  async delete(space: string, key: string): Promise<void> {
    await this.#calls.call(0, 'DEL', this.#key(space, key))
  }

  /** The length of the space tells where it ends. */
  #key(space: string, key: string): string {
    return `${this.#prefix}:value:${space.length}:${space}:${key}`
  }
}
