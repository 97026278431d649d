import { closeSync, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { HashTable } from './hash-table.js'
import { isFetchRecord, type FetchRecord } from './record.js'

const READ_BYTES = 1024 * 1024
const SYNC_PERIOD_MS = 1000
const NEWLINE = 0x0a
const END = '{"end":true}'

/**
 * What was fetched, as a file of JSON lines to which lines are only added. It is all that a crawl remembers: everything else
 * follows from it.
 *
 * A line that `append` has returned for is with the system, so that `kill -9` loses none; the disk has it a second later, and
 * a power cut loses no more than that. A last line that was cut is taken away when the file is opened. In memory there is
 * only where the line of each URL begins.
 */
export class Journal {
  readonly #path: string
  readonly #file: number
  readonly #offsets = new HashTable()
  readonly #timer: NodeJS.Timeout
  #length = 0
  #isSynced = true
  #failure: Error | null = null
  #hasEnd = false
  /** What was read last: most is read nearly in the order of the file. */
  #window = Buffer.alloc(0)
  #windowAt = 0

  /** @throws TypeError naming the line that is none of a journal. */
  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'a+', 0o600)
    this.#scan()
    this.#timer = setInterval(() => this.#sync(), SYNC_PERIOD_MS)
    this.#timer.unref()
  }

  /** URLs that are known. */
  get size(): number {
    return this.#offsets.size
  }

  /** Whether the last line says that nothing was left to do. */
  get hasEnd(): boolean {
    return this.#hasEnd
  }

  /** @throws what the system says when the line cannot be written, or the disk had no room for earlier ones. */
  append(record: FetchRecord): void {
    if (this.#failure !== null) throw this.#failure
    this.#offsets.set(record.url, this.#length)
    this.#hasEnd = false
    this.#write(JSON.stringify(record))
  }

  end(): void {
    if (this.#hasEnd) return
    this.#write(END)
    this.#hasEnd = true
  }

  find(url: string): FetchRecord | undefined {
    const offset = this.#offsets.get(url)
    const record = offset === undefined ? undefined : parseLine(this.#lineAt(offset))
    return record !== undefined && record !== 'end' && record.url === url ? record : undefined
  }

  close(): void {
    clearInterval(this.#timer)
    fdatasyncSync(this.#file)
    closeSync(this.#file)
  }

  #write(line: string): void {
    const bytes = Buffer.from(`${line}\n`)
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at)
    this.#length += bytes.length
    this.#isSynced = false
  }

  #sync(): void {
    if (this.#isSynced) return
    this.#isSynced = true
    fdatasync(this.#file, (error) => {
      this.#failure ??= error
    })
  }

  /** Everything is read once, so that a damaged journal is found before anything is fetched. */
  #scan(): void {
    const { size } = fstatSync(this.#file)
    for (let number = 1; this.#length < size; number += 1) {
      const line = this.#lineAt(this.#length)
      if (line === undefined) break
      const record = parseLine(line)
      if (record === undefined)
        throw new TypeError(`Cannot go on with ${this.#path}: line ${number} is none of a journal`)
      this.#hasEnd = record === 'end'
      if (record !== 'end') this.#offsets.set(record.url, this.#length)
      this.#length += line.length + 1
    }
    if (this.#length < size) ftruncateSync(this.#file, this.#length)
  }

  /** `undefined` for one without its end. What comes is borrowed until the next call. */
  #lineAt(offset: number): Buffer | undefined {
    const found = this.#lineInWindow(offset)
    if (found !== undefined) return found
    const start = Math.max(0, offset - READ_BYTES / 4)
    for (let size = READ_BYTES; ; size *= 2) {
      const bytes = Buffer.allocUnsafe(size)
      const count = readSync(this.#file, bytes, 0, size, start)
      this.#window = bytes.subarray(0, count)
      this.#windowAt = start
      const line = this.#lineInWindow(offset)
      if (line !== undefined || count < size) return line
    }
  }

  #lineInWindow(offset: number): Buffer | undefined {
    const from = offset - this.#windowAt
    if (from < 0 || from >= this.#window.length) return undefined
    const end = this.#window.indexOf(NEWLINE, from)
    return end === -1 ? undefined : this.#window.subarray(from, end)
  }
}

function parseLine(line: Buffer | undefined): FetchRecord | 'end' | undefined {
  if (line === undefined) return undefined
  const text = line.toString()
  if (text === END) return 'end'
  try {
    const value: unknown = JSON.parse(text)
    return isFetchRecord(value) ? value : undefined
  } catch {
    return undefined // The caller says which line it is.
  }
}
