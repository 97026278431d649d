import { lstatSync } from 'node:fs'
import { basename } from 'node:path'
import { encodeField } from '../engine/http/fields.js'
import { AbsentNames } from './absent-names.js'
import { ENDINGS, wantedCodings, type Coding } from './codings.js'
import { Compression } from './compression.js'
import { contentTypeOf, isCompressible } from './content-types.js'
import { isSettled, versionOf } from './file-identity.js'
import { readState } from './file-body.js'
import { HotCache } from './hot-cache.js'
import type { FilesSettings } from './options.js'
import { Representation, type Source } from './representation.js'
import { openEntry, type OpenEntry, type PathRules } from './resolve-path.js'

/** Chooses in which form a file is sent: its own bytes, those of a twin, or compressed on the way; and holds small ones. */
export class FileChoice {
  readonly #rules: PathRules
  readonly #settings: FilesSettings
  readonly #hot: HotCache
  readonly #compression: Compression
  readonly #shared: string
  readonly #now: () => number
  readonly absent: AbsentNames

  /** `now` is the clock that the file system's times are compared with. */
  constructor(rules: PathRules, settings: FilesSettings, now: () => number) {
    this.#rules = rules
    this.#settings = settings
    this.#now = now
    this.#hot = new HotCache(rules, settings, now)
    this.#compression = new Compression(settings)
    this.absent = new AbsentNames(now)
    const varies = settings.precompressed || settings.compress
    this.#shared =
      encodeField('Cache-Control', settings.cacheControl) + (varies ? encodeField('Vary', 'Accept-Encoding') : '')
  }

  /** The form for a client, when all of it is in memory, and known not to have changed. */
  atOnce(name: string, accept: string | undefined): Representation | undefined {
    const plain = this.#hot.find(name)
    if (plain === undefined || accept === undefined) return plain
    const wanted = wantedCodings(accept)
    if (wanted.length === 0) return plain
    if (this.#settings.precompressed) {
      const isAbsent = this.absent.of(this.#rules.root + name)
      for (const coding of wanted) {
        const twin = this.#hot.find(twinName(name, coding))
        if (twin !== undefined && twin.lastModifiedMs >= plain.lastModifiedMs) return twin
        if (twin !== undefined || !isAbsent(ENDINGS[coding])) return undefined
      }
    }
    const coding = this.#onTheWay(wanted, plain)
    if (coding === undefined) return plain
    const held = this.#compression.find(name, coding, plain.version)
    return held === undefined ? undefined : (held.form ?? plain)
  }

  /** The form for a client. What is open and is not in it is closed; also when this throws. */
  async choose(segments: readonly string[], entry: OpenEntry, accept: string | undefined): Promise<Representation> {
    const name = `/${segments.join('/')}`
    const wanted = wantedCodings(accept)
    const plain = await this.#formOf(name, entry, contentTypeOf(basename(entry.path)), undefined)
    try {
      const coded =
        (this.#settings.precompressed ? await this.#twinOf(segments, plain, wanted) : undefined) ??
        (await this.#compressed(name, entry, plain, wanted))
      if (coded === undefined) return plain
      await plain.release()
      return coded
    } catch (error) {
      await plain.release()
      throw error
    }
  }

  /** What is small is read into memory, and its file closed. */
  async #formOf(name: string, entry: OpenEntry, type: string, coding: Coding | undefined): Promise<Representation> {
    const version = versionOf(entry.identity)
    const form = (source: Source): Representation =>
      new Representation({
        source,
        version,
        etag: { value: version, weak: false },
        ...{ size: entry.size, lastModifiedMs: entry.mtimeMs, type, coding, shared: this.#shared },
      })
    try {
      const kept = await this.#hot.keep(name, entry, form)
      if (kept === undefined) return form(entry.file)
      await entry.file.close()
      return kept
    } catch (error) {
      await entry.file.close()
      throw error
    }
  }

  async #twinOf(
    segments: readonly string[],
    plain: Representation,
    wanted: readonly Coding[],
  ): Promise<Representation | undefined> {
    const name = `/${segments.join('/')}`
    const path = this.#rules.root + name
    const isAbsent = this.absent.of(path)
    for (const coding of wanted) {
      const ending = ENDINGS[coding]
      if (isAbsent(ending)) continue
      const twin = await this.open(segments, ending)
      if (twin === undefined) continue
      // One that is older than its file tells of another content.
      if (twin.kind === 'file' && twin.mtimeMs >= plain.lastModifiedMs)
        return this.#formOf(twinName(name, coding), twin, plain.type, coding)
      await twin.file.close()
    }
    return undefined
  }

  /** Opens a file, or what stands beside it with this ending, and remembers when it is not there. */
  async open(segments: readonly string[], ending: string): Promise<OpenEntry | undefined> {
    const path = `${this.#rules.root}/${segments.join('/')}`
    const folder = this.absent.folderOf(path)
    const entry = await openEntry(this.#rules, [...segments.slice(0, -1), (segments.at(-1) ?? '') + ending])
    if (entry === undefined && folder !== undefined && !isThere(path + ending)) this.absent.add(path, ending, folder)
    return entry
  }

  #onTheWay(wanted: readonly Coding[], plain: Representation): Coding | undefined {
    if (!this.#settings.compress || !isCompressible(plain.type)) return undefined
    return this.#compression.choose(wanted, plain.size)
  }

  /** Of a file that has changed just now nothing is held, so it is sent as it is. */
  async #compressed(
    name: string,
    { identity }: OpenEntry,
    plain: Representation,
    wanted: readonly Coding[],
  ): Promise<Representation | undefined> {
    const coding = this.#onTheWay(wanted, plain)
    if (coding === undefined || !isSettled(identity, this.#now())) return undefined
    const { version, type, lastModifiedMs, file } = plain
    const held = this.#compression.find(name, coding, version)
    if (held !== undefined) return held.form
    const read = async (): Promise<Uint8Array | undefined> =>
      file === undefined ? plain.bytes : readState(file, identity)
    return this.#compression.make({ name, coding, version }, read, (source) => {
      // Weak: another version of the library may make other bytes of the same file.
      const etag = { value: `${version}-${coding}`, weak: true }
      return new Representation({
        ...{ source, version, etag, type, coding, lastModifiedMs, shared: this.#shared },
        size: source.length,
      })
    })
  }
}

const twinName = (name: string, coding: Coding): string => `${name}\0${coding}`

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return true
  }
}
