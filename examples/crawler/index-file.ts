import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { FetchRecord } from './record.js'

const FLUSH_CHARACTERS = 64 * 1024

/** The set that a crawl came to, a JSON line for each URL; under its name only when the crawl is finished. */
export class IndexFile {
  readonly #path: string
  readonly #unfinished: string
  readonly #file: number
  #text = ''

  constructor(path: string) {
    this.#path = path
    this.#unfinished = `${path}.unfinished`
    this.#file = openSync(this.#unfinished, 'w', 0o600)
  }

  add({ url, outcome, status, hash, bytes, type }: FetchRecord, depth: number, isDuplicate: boolean): void {
    const line = { url, outcome, status, depth, hash, bytes, type, ...(isDuplicate ? { isDuplicate } : {}) }
    this.#text += `${JSON.stringify(line)}\n`
    if (this.#text.length >= FLUSH_CHARACTERS) this.#flush()
  }

  close(isFinished: boolean): void {
    this.#flush()
    closeSync(this.#file)
    if (isFinished) renameSync(this.#unfinished, this.#path)
    else rmSync(this.#unfinished)
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text)
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at)
    this.#text = ''
  }
}
