import { randomUUID } from 'node:crypto'
import type { Note } from './note.js'

/** A note as it is kept. It is replaced, never changed: the same entry is the same version. */
export interface Entry {
  readonly id: string
  /** Its place among the others, which it keeps. */
  readonly place: number
  /** Names this version, and never another one: not after a restart either. */
  readonly version: string
  readonly note: Note
}

/** Where a page begins: behind a place, or before one. */
export interface PageStart {
  readonly from: 'after' | 'before'
  readonly place: number
}

export interface Page {
  readonly entries: readonly Entry[]
  readonly hasPrevious: boolean
  readonly hasNext: boolean
}

/** Notes in the memory of this process, at most `maxNotes`. */
export class Store {
  readonly #maxNotes: number
  readonly #entries = new Map<string, Entry>()
  readonly #idsByTitle = new Map<string, string>()
  readonly #run = randomUUID().slice(0, 8)
  #count = 0

  constructor(maxNotes: number) {
    this.#maxNotes = maxNotes
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  idOf(title: string): string | undefined {
    return this.#idsByTitle.get(title)
  }

  /** Adds a note or replaces it; `undefined` when there is no room for another. */
  set(id: string, note: Note): Entry | undefined {
    const known = this.#entries.get(id)
    if (known === undefined && this.#entries.size >= this.#maxNotes) return undefined
    if (known !== undefined) this.#idsByTitle.delete(known.note.title)
    this.#count += 1
    const entry = { id, place: known?.place ?? this.#count, version: `${this.#run}-${this.#count}`, note }
    this.#entries.set(id, entry)
    this.#idsByTitle.set(note.title, id)
    return entry
  }

  delete({ id, note }: Entry): void {
    this.#entries.delete(id)
    this.#idsByTitle.delete(note.title)
  }

  /** In the order in which they came. */
  page({ from, place }: PageStart, limit: number): Page {
    const all = [...this.#entries.values()]
    const index = all.findIndex((entry) => (from === 'after' ? entry.place > place : entry.place >= place))
    const edge = index === -1 ? all.length : index
    const [start, end] = from === 'after' ? [edge, edge + limit] : [Math.max(0, edge - limit), edge]
    return { entries: all.slice(start, end), hasPrevious: start > 0, hasNext: end < all.length }
  }
}
