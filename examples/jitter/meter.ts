/** A probe on its way: sequence number and the sender's clock in microseconds, 12 bytes. */
export const PROBE_BYTES = 12

export function encodeProbe(sequence: number, atUs: bigint): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(PROBE_BYTES))
  bytes.setUint32(0, sequence)
  bytes.setBigUint64(4, atUs)
  return new Uint8Array(bytes.buffer)
}

export function decodeProbe(data: Uint8Array): { readonly sequence: number; readonly atUs: bigint } | undefined {
  if (data.length < PROBE_BYTES) return undefined
  const bytes = new DataView(data.buffer, data.byteOffset, data.byteLength)
  return { sequence: bytes.getUint32(0), atUs: bytes.getBigUint64(4) }
}

export interface MeterReport {
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly duplicates: number
  /** Came after a later one. */
  readonly reordered: number
  readonly minMs: number
  readonly meanMs: number
  readonly maxMs: number
  /** The smoothed difference of transit times, as RTP defines it (RFC 3550 §6.4.1). */
  readonly jitterMs: number
}

/** Counts what comes back, and how evenly. */
export class Meter {
  readonly #seen: Uint8Array
  #received = 0
  #duplicates = 0
  #reordered = 0
  #highest = -1
  #min = Infinity
  #max = 0
  #sum = 0
  #jitter = 0
  #lastTransit: number | undefined

  /** For at most `count` probes. */
  constructor(count: number) {
    this.#seen = new Uint8Array(count)
  }

  hear(sequence: number, roundTripMs: number): void {
    if (sequence >= this.#seen.length) return
    if (this.#seen[sequence] === 1) {
      this.#duplicates += 1
      return
    }
    this.#seen[sequence] = 1
    this.#received += 1
    if (sequence < this.#highest) this.#reordered += 1
    this.#highest = Math.max(this.#highest, sequence)
    this.#min = Math.min(this.#min, roundTripMs)
    this.#max = Math.max(this.#max, roundTripMs)
    this.#sum += roundTripMs
    if (this.#lastTransit !== undefined) this.#jitter += (Math.abs(roundTripMs - this.#lastTransit) - this.#jitter) / 16
    this.#lastTransit = roundTripMs
  }

  report(sent: number): MeterReport {
    const received = this.#received
    return {
      sent,
      received,
      lost: sent - received,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
      minMs: received === 0 ? 0 : this.#min,
      meanMs: received === 0 ? 0 : this.#sum / received,
      maxMs: this.#max,
      jitterMs: this.#jitter,
    }
  }
}
