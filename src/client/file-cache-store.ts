import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises'
import { concatBytes } from '../base/bytes.js'
import { sizeOf, type CacheLimits, type CacheStore, type StoredResponse } from './cache-store.js'
import { replaceWhole } from './whole-file.js'

interface Kept {
  readonly bytes: number
}

/** What stands in the first line of a file; the bodies follow it, one behind the other. */
interface FileHead {
  readonly key: string
  readonly responses: readonly (Omit<StoredResponse, 'body'> & { readonly bytes: number })[]
}

const SUFFIX = '.cached'
const NEW_LINE = 0x0a

/**
 * In a folder, for this user alone: 1 GiB and 10,000 URLs by default; what was used longest ago makes room. A file is
 * written whole or not at all, and one that cannot be read is none. Several processes may share a folder; each keeps the
 * bounds by what it knows of it.
 */
export class FileCacheStore implements CacheStore {
  readonly #folder: string
  readonly #maxBytes: number
  readonly #maxEntries: number
  #opening: Promise<Map<string, Kept>> | undefined
  #bytes = 0

  constructor(folder: string, { maxBytes = 1024 ** 3, maxEntries = 10_000 }: CacheLimits = {}) {
    this.#folder = folder
    this.#maxBytes = maxBytes
    this.#maxEntries = maxEntries
  }

  /** Those that are there, used longest ago first. */
  #open(): Promise<Map<string, Kept>> {
    this.#opening ??= this.#list()
    return this.#opening
  }

  async #list(): Promise<Map<string, Kept>> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const found: { readonly name: string; readonly bytes: number; readonly usedAt: number }[] = []
    for (const name of await readdir(this.#folder)) {
      if (!name.endsWith(SUFFIX)) continue
      const stats = await stat(this.#path(name)).catch(() => undefined)
      if (stats !== undefined) found.push({ name, bytes: stats.size, usedAt: stats.mtimeMs })
    }
    found.sort((left, right) => left.usedAt - right.usedAt)
    this.#bytes = found.reduce((total, { bytes }) => total + bytes, 0)
    return new Map(found.map(({ name, bytes }) => [name, { bytes }]))
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`
  }

  async read(key: string): Promise<readonly StoredResponse[]> {
    const name = nameOf(key)
    try {
      const entries = await this.#open()
      const responses = parse(key, await readFile(this.#path(name)))
      const known = entries.get(name)
      if (known !== undefined) {
        entries.delete(name)
        entries.set(name, known)
        const now = new Date()
        await utimes(this.#path(name), now, now)
      }
      return responses
    } catch {
      return [] // There is none, or none that can be read: it is asked for anew.
    }
  }

  async write(key: string, responses: readonly StoredResponse[]): Promise<void> {
    const name = nameOf(key)
    const entries = await this.#open()
    if (responses.length === 0 || sizeOf(responses) > this.#maxBytes) {
      await this.#delete(entries, name)
      return
    }
    const bytes = format(key, responses)
    await replaceWhole(this.#path(name), bytes, { sync: false })
    this.#bytes += bytes.length - (entries.get(name)?.bytes ?? 0)
    entries.delete(name)
    entries.set(name, { bytes: bytes.length })
    for (const [oldest] of entries) {
      if (this.#bytes <= this.#maxBytes && entries.size <= this.#maxEntries) return
      await this.#delete(entries, oldest)
    }
  }

  async #delete(entries: Map<string, Kept>, name: string): Promise<void> {
    this.#bytes -= entries.get(name)?.bytes ?? 0
    entries.delete(name)
    await rm(this.#path(name), { force: true })
  }
}

const nameOf = (key: string): string => createHash('sha256').update(key).digest('hex') + SUFFIX

function format(key: string, responses: readonly StoredResponse[]): Uint8Array {
  const head: FileHead = { key, responses: responses.map(({ body, ...rest }) => ({ ...rest, bytes: body.length })) }
  return concatBytes([Buffer.from(`${JSON.stringify(head)}\n`), ...responses.map(({ body }) => body)])
}

/** @throws for whatever is no such file. */
function parse(key: string, file: Buffer): readonly StoredResponse[] {
  const end = file.indexOf(NEW_LINE)
  const head: FileHead = JSON.parse(file.toString('utf8', 0, end))
  if (head.key !== key) throw new Error('it is of another URL')
  let at = end + 1
  const responses = head.responses.map(({ bytes, ...rest }) => {
    at += bytes
    return { ...rest, body: file.subarray(at - bytes, at) }
  })
  if (at !== file.length) throw new Error('it is cut')
  return responses
}
