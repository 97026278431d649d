import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Bodies by their SHA-256: the same content is there once, whatever it was called. Each is written under another name and
 * renamed, so that under a digest stands all of it or nothing.
 */
export class Bodies {
  readonly #folder: string
  readonly #unfinished: string
  readonly #made = new Set<string>()
  #count = 0

  constructor(folder: string) {
    this.#folder = join(folder, 'bodies')
    this.#unfinished = join(folder, 'unfinished')
    // Of a run that was killed.
    rmSync(this.#unfinished, { recursive: true, force: true })
    for (const made of [this.#folder, this.#unfinished]) mkdirSync(made, { recursive: true })
  }

  /** Resolves with the digest when the file is there. */
  async keep(bytes: Uint8Array): Promise<string> {
    const digest = createHash('sha256').update(bytes).digest('hex')
    if (this.has(digest, bytes.length)) return digest
    this.#count += 1
    const unfinished = join(this.#unfinished, String(this.#count))
    const path = this.pathOf(digest)
    const group = path.slice(0, -digest.length)
    if (!this.#made.has(group)) {
      await mkdir(group, { recursive: true })
      this.#made.add(group)
    }
    await writeFile(unfinished, bytes)
    await rename(unfinished, path)
    return digest
  }

  /** A file of another length was damaged by a power cut: it counts as not there. */
  has(digest: string, length: number): boolean {
    return statSync(this.pathOf(digest), { throwIfNoEntry: false })?.size === length
  }

  pathOf(digest: string): string {
    return join(this.#folder, digest.slice(0, 2), digest)
  }

  /** Takes away what is not `wanted` any more. */
  sweep(wanted: (digest: string) => boolean): void {
    for (const entry of readdirSync(this.#folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && !wanted(entry.name)) rmSync(this.pathOf(entry.name), { force: true })
    }
  }

  close(): void {
    rmSync(this.#unfinished, { recursive: true, force: true })
  }
}
