import type { MoorageError } from '../base/errors.js'
import type { Status } from './messages.js'

/** What became of one file or folder. */
export interface FileResult {
  /** With `/` between folders. */
  readonly name: string
  /**
   * `stored`: it is there now. `present`: the same was there already. `refused`: the receiver did not take it.
   * `failed`: it broke off; what came may be kept. `skipped`: the sender left it out (links, sockets, devices).
   */
  readonly status: Status | 'skipped'
  readonly bytes: number
  /** Where this run began: what came before was there from an earlier one. */
  readonly resumedAt: number
  /** Bytes of the file that crossed the wire in this run. */
  readonly transferredBytes: number
  /** In hexadecimal, as sha256sum shows it; `undefined` without `checksum`, and for folders. */
  readonly sha256: string | undefined
  readonly error: MoorageError | undefined
}

export interface TransferReport {
  /** One for each file and folder, in their order; at most as many as the receiver’s `maxFiles`. */
  readonly files: readonly FileResult[]
  /** How many are neither stored nor present. */
  readonly failed: number
  /** Bytes of files that crossed the wire. */
  readonly transferredBytes: number
}

export interface Progress {
  readonly name: string
  /** Of this file. */
  readonly bytes: number
  readonly size: number
  /** Of all files. */
  readonly totalBytes: number
  readonly totalSize: number
  /** Bytes of files that crossed the wire in this run. */
  readonly transferredBytes: number
  /** Over about the last three seconds, and 0 before anything moved. */
  readonly bytesPerSecond: number
}

const SMOOTHING_MS = 3000
const SAMPLE_MS = 200

/** Counts bytes and tells of them at intervals. */
export class ProgressMeter {
  readonly #report: ((progress: Progress) => void) | undefined
  readonly #intervalMs: number
  readonly #results: FileResult[] = []
  #name = ''
  #size = 0
  #bytes = 0
  #before = 0
  #totalSize = 0
  #transferred = 0
  #rate = 0
  #toldAt = 0
  #sampledAt: number
  #sampledBytes = 0
  readonly #onFile: ((result: FileResult) => void) | undefined

  constructor(settings: {
    readonly onProgress: ((progress: Progress) => void) | undefined
    readonly onFile: ((result: FileResult) => void) | undefined
    readonly progressIntervalMs: number
  }) {
    this.#report = settings.onProgress
    this.#onFile = settings.onFile
    this.#intervalMs = settings.progressIntervalMs
    this.#toldAt = performance.now()
    this.#sampledAt = this.#toldAt
  }

  expect(totalSize: number): void {
    this.#totalSize = totalSize
  }

  /** So much need not even be offered. */
  pass(bytes: number): void {
    this.#before += bytes
  }

  begin(name: string, size: number): void {
    this.#name = name
    this.#size = size
    this.#bytes = 0
  }

  /** Everything of the file below `offset` needs not be sent. */
  resume(offset: number): void {
    this.#bytes = offset
  }

  moved(bytes: number): void {
    this.#bytes += bytes
    this.#transferred += bytes
    if (this.#report !== undefined) this.#tell(false)
  }

  end(result: FileResult): void {
    this.#results.push(result)
    const isDone = result.status === 'stored' || result.status === 'present'
    this.#before += isDone ? result.bytes : result.resumedAt + result.transferredBytes
    this.#onFile?.(result)
    if (isDone) this.#bytes = result.bytes
    if (this.#report !== undefined) this.#tell(true)
  }

  #tell(now: boolean): void {
    const at = performance.now()
    const elapsed = at - this.#toldAt
    if (!now && elapsed < this.#intervalMs) return
    this.#toldAt = at
    this.#sampleRate(at)
    const totalBytes = now ? this.#before : this.#before + this.#bytes
    this.#report?.({
      name: this.#name,
      bytes: this.#bytes,
      size: this.#size,
      totalBytes,
      totalSize: Math.max(this.#totalSize, totalBytes),
      transferredBytes: this.#transferred,
      bytesPerSecond: this.#rate,
    })
  }

  #sampleRate(at: number): void {
    const elapsed = at - this.#sampledAt
    if (elapsed < SAMPLE_MS) return
    const rate = ((this.#transferred - this.#sampledBytes) / elapsed) * 1000
    // The first sample counts whole.
    this.#rate += (rate - this.#rate) * (this.#rate === 0 ? 1 : Math.min(1, elapsed / SMOOTHING_MS))
    this.#sampledAt = at
    this.#sampledBytes = this.#transferred
  }

  get report(): TransferReport {
    const failed = this.#results.filter(({ status }) => status !== 'stored' && status !== 'present').length
    return { files: this.#results, failed, transferredBytes: this.#transferred }
  }
}
