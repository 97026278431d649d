import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Bodies } from './bodies.js'
import type { HashTable } from './hash-table.js'
import { IndexFile } from './index-file.js'
import { Journal } from './journal.js'
import { takeLock } from './lock.js'
import type { FetchRecord } from './record.js'

/**
 * What a crawl keeps on disk: `journal.jsonl`, what was fetched; `bodies/`, the pages by their SHA-256; `index.jsonl`, the set
 * of the last crawl that was finished. While a finished crawl is repeated, its journal is `previous.jsonl`.
 */
export class CrawlFolder {
  readonly #path: string
  readonly #previousPath: string
  readonly #unlock: () => void
  readonly journal: Journal
  readonly previous: Journal | undefined
  readonly bodies: Bodies
  readonly index: IndexFile

  /** @throws TypeError for a folder that another process uses, or whose journal is damaged. */
  constructor(path: string, { revisit }: { readonly revisit: boolean }) {
    this.#path = path
    this.#previousPath = join(path, 'previous.jsonl')
    mkdirSync(path, { recursive: true })
    this.#unlock = takeLock(join(path, 'lock'))
    let journal = new Journal(this.#journalPath)
    const isRepeated = existsSync(this.#previousPath)
    if (revisit && !isRepeated && journal.hasEnd) {
      journal.close()
      renameSync(this.#journalPath, this.#previousPath)
      journal = new Journal(this.#journalPath)
    } else if (isRepeated && journal.hasEnd) {
      // It was killed when all was done but this.
      rmSync(this.#previousPath)
    }
    this.journal = journal
    this.previous = existsSync(this.#previousPath) ? new Journal(this.#previousPath) : undefined
    this.bodies = new Bodies(path)
    rmSync(this.#queues, { recursive: true, force: true })
    mkdirSync(this.#queues)
    this.index = new IndexFile(join(path, 'index.jsonl'))
  }

  get #journalPath(): string {
    return join(this.#path, 'journal.jsonl')
  }

  get #queues(): string {
    return join(this.#path, 'queues')
  }

  /** Of the queue of the site with this number; none lives longer than its process. */
  queuePath(number: number): string {
    return join(this.#queues, String(number))
  }

  /** What is known of a URL, and need not be fetched: what was kept is there, too. */
  find(url: string): FetchRecord | undefined {
    const record = this.journal.find(url)
    if (record?.hash === undefined || this.bodies.has(record.hash, record.bytes ?? 0)) return record
    return undefined
  }

  /** `isFinished`: nothing is left to do; `hashes` are those of all bodies that belong to the set. */
  close(isFinished: boolean, hashes: HashTable): void {
    this.index.close(isFinished)
    if (isFinished) this.journal.end()
    this.journal.close()
    this.previous?.close()
    if (isFinished && this.previous !== undefined) {
      rmSync(this.#previousPath)
      this.bodies.sweep((digest) => hashes.has(digest))
    }
    this.bodies.close()
    rmSync(this.#queues, { recursive: true, force: true })
    this.#unlock()
  }
}
