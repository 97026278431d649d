import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'

/** A URL that is to be fetched, and how it was found. */
export interface Entry {
  readonly url: string
  readonly kind: 'page' | 'sitemap' | 'robots'
  /** Links from a start to it. */
  readonly depth: number
  /** Redirects, one behind the other, that led to it. */
  readonly redirects: number
}

const BLOCK_ENTRIES = 4096

interface Block {
  readonly at: number
  readonly length: number
}

/**
 * First in, first out, with at most three blocks of entries in memory: those between the first and the last are in a file.
 * The file is of this process alone; the journal says it all again.
 */
export class UrlQueue {
  readonly #path: string
  #first: Entry[] = []
  #taken = 0
  #last: Entry[] = []
  #blocks: Block[] = []
  #file: number | undefined
  #end = 0
  #size = 0

  constructor(path: string) {
    this.#path = path
  }

  get size(): number {
    return this.#size
  }

  push(entry: Entry): void {
    this.#size += 1
    if (this.#blocks.length === 0 && this.#last.length === 0 && this.#first.length < BLOCK_ENTRIES) {
      this.#first.push(entry)
      return
    }
    this.#last.push(entry)
    if (this.#last.length === BLOCK_ENTRIES) this.#spill()
  }

  shift(): Entry | undefined {
    if (this.#taken === this.#first.length) this.#turn()
    const entry = this.#first[this.#taken]
    if (entry === undefined) return undefined
    this.#taken += 1
    this.#size -= 1
    return entry
  }

  close(): void {
    if (this.#file === undefined) return
    closeSync(this.#file)
    unlinkSync(this.#path)
    this.#file = undefined
  }

  #spill(): void {
    this.#file ??= openSync(this.#path, 'w+', 0o600)
    const bytes = Buffer.from(this.#last.map(formatEntry).join('\n'))
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at, bytes.length - at, this.#end + at)
    this.#blocks.push({ at: this.#end, length: bytes.length })
    this.#end += bytes.length
    this.#last = []
  }

  #turn(): void {
    this.#taken = 0
    const block = this.#blocks.shift()
    if (block === undefined || this.#file === undefined) {
      this.#first = this.#last
      this.#last = []
      return
    }
    const bytes = Buffer.allocUnsafe(block.length)
    readSync(this.#file, bytes, 0, block.length, block.at)
    this.#first = bytes.toString().split('\n').map(parseEntry)
    if (this.#blocks.length > 0) return
    ftruncateSync(this.#file, 0)
    this.#end = 0
  }
}

/** No URL has a space or the end of a line. */
const formatEntry = ({ url, kind, depth, redirects }: Entry): string => `${kind} ${depth} ${redirects} ${url}`

function parseEntry(line: string): Entry {
  const [kind, depth, redirects, url = ''] = line.split(' ')
  return {
    url,
    kind: kind === 'sitemap' || kind === 'robots' ? kind : 'page',
    depth: Number(depth),
    redirects: Number(redirects),
  }
}
