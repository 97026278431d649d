import type { Position } from 'moorage/pubsub'

/** What all have heard of one room: the text of each offset. */
export class RoomTruth {
  readonly room: string
  readonly #texts: (string | undefined)[] = []

  constructor(room: string) {
    this.room = room
  }

  /** Whether this is what the others have heard there. */
  agrees(offset: number, text: string): boolean {
    const known = this.#texts[offset]
    if (known === undefined) this.#texts[offset] = text
    return known === undefined || known === text
  }

  textAt(offset: number): string | undefined {
    return this.#texts[offset]
  }

  /** How often each text stands there. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const text of this.#texts) if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1)
    return counts
  }
}

/** What one client has heard of a room, checked as it comes: each offset once, in order, or a gap that says so. */
export class RoomRecord {
  readonly room: string
  readonly #truth: RoomTruth
  #position: Position | undefined
  heard: number = 0
  gaps: number = 0
  missed: number = 0
  readonly faults: string[] = []

  constructor(truth: RoomTruth) {
    this.room = truth.room
    this.#truth = truth
  }

  get position(): Position | undefined {
    return this.#position
  }

  /** Where it stands before the first message. */
  begin(position: Position | undefined): void {
    this.#position ??= position
  }

  message({ epoch, offset }: Position, text: string): void {
    const before = this.#position?.offset
    if (before !== undefined && offset !== before + 1) this.fail(`${offset} came behind ${before}`)
    if (!this.#truth.agrees(offset, text))
      this.fail(`${offset} is ${JSON.stringify(text)}, and ${JSON.stringify(this.#truth.textAt(offset))} to others`)
    this.#position = { epoch, offset }
    this.heard += 1
  }

  gap(until: Position): void {
    this.missed += Math.max(0, until.offset - (this.#position?.offset ?? 0))
    this.#position = until
    this.gaps += 1
  }

  fail(why: string): void {
    if (this.faults.length < 5) this.faults.push(`${this.room}: ${why}`)
  }
}
