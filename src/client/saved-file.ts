import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { FileWriter } from './file-writer.js'
import { publish } from './save-place.js'

/** A file that comes: it gets its name when all of it is there. */
export class SavedFile {
  readonly #path: string
  readonly #temporary: string
  readonly writer: FileWriter

  private constructor(path: string, temporary: string, writer: FileWriter) {
    this.#path = path
    this.#temporary = temporary
    this.writer = writer
  }

  static async create(path: string, expected: number): Promise<SavedFile> {
    const temporary = `${path}.${randomBytes(6).toString('hex')}.part`
    return new SavedFile(path, temporary, await FileWriter.open(temporary, 0, expected))
  }

  /** @returns its bytes. */
  async keep(sync: boolean): Promise<number> {
    await this.writer.finish(sync)
    await publish(this.#temporary, this.#path)
    return this.writer.length
  }

  /** Never rejects. */
  async drop(): Promise<void> {
    await this.writer.leave()
    await rm(this.#temporary, { force: true }).catch(() => undefined)
  }
}
