import type { Fields } from './fields.js'

type Pair = readonly [name: string, value: string]

/** Fields as pairs. */
export class FieldList implements Fields {
  readonly #pairs: readonly Pair[]

  constructor(pairs: Iterable<Pair>) {
    this.#pairs = [...pairs]
  }

  get count(): number {
    return this.#pairs.length
  }

  get(name: string): string | undefined {
    const values = this.getAll(name)
    return values.length === 0 ? undefined : values.join(', ')
  }

  getAll(name: string): readonly string[] {
    const wanted = name.toLowerCase()
    return this.#pairs.filter(([each]) => each.toLowerCase() === wanted).map(([, value]) => value)
  }

  has(name: string): boolean {
    const wanted = name.toLowerCase()
    return this.#pairs.some(([each]) => each.toLowerCase() === wanted)
  }

  [Symbol.iterator](): Iterator<Pair> {
    return this.#pairs[Symbol.iterator]()
  }
}
