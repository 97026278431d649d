import zlib from 'node:zlib'
import { BoundedCache } from './bounded-cache.js'
import type { Coding } from './codings.js'
import type { Representation } from './representation.js'

type Compress = (bytes: Uint8Array) => Promise<Uint8Array>
type Done = (error: Error | null, result: Uint8Array) => void

const run = (start: (done: Done) => void): Promise<Uint8Array> =>
  new Promise((resolve, reject) => start((error, result) => (error === null ? resolve(result) : reject(error))))

/** Of eleven: those above take many times as long for a few per cent. nginx and Caddy compress on the fly at 4 to 6. */
const BROTLI_QUALITY = 5

const compressors: ReadonlyMap<Coding, Compress> = new Map<Coding, Compress>([
  [
    'br',
    (bytes) => {
      const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib.constants
      const params = { [BROTLI_PARAM_QUALITY]: BROTLI_QUALITY, [BROTLI_PARAM_SIZE_HINT]: bytes.length }
      return run((done) => zlib.brotliCompress(bytes, { params }, done))
    },
  ],
  ...zstd(),
  ['gzip', (bytes) => run((done) => zlib.gzip(bytes, done))],
])

/** Node.js has it from 22.15 on. */
function zstd(): (readonly [Coding, Compress])[] {
  const found: unknown = Reflect.get(zlib, 'zstdCompress')
  if (typeof found !== 'function') return []
  return [['zstd', (bytes) => run((done) => Reflect.apply(found, zlib, [bytes, done]))]]
}

export interface CompressionLimits {
  readonly minCompressedFileBytes: number
  readonly maxCompressedFileBytes: number
  readonly maxCompressedBytes: number
  readonly maxCompressedFiles: number
}

/** Compressions that may go on at once, of different files: their bytes are in memory. Node's pool has four threads. */
const MAX_AT_ONCE = 4

interface Compressed {
  readonly version: string
  /** `undefined` when it did not become smaller. */
  readonly form: Representation | undefined
}

/** What was compressed on the way to a client, held for the next ones: by name, coding and version of the file. */
export class Compression {
  readonly #limits: CompressionLimits
  readonly #held: BoundedCache<Compressed>
  readonly #underWay = new Map<string, Promise<Compressed>>()

  constructor(limits: CompressionLimits) {
    this.#limits = limits
    this.#held = new BoundedCache(limits.maxCompressedBytes, limits.maxCompressedFiles)
  }

  /** How many files it is compressing. */
  get underWay(): number {
    return this.#underWay.size
  }

  /** The best of the codings that this runtime has, for a file of this size; `undefined` for one that is sent as it is. */
  choose(codings: readonly Coding[], size: number): Coding | undefined {
    if (size < this.#limits.minCompressedFileBytes || size > this.#limits.maxCompressedFileBytes) return undefined
    return codings.find((coding) => compressors.has(coding))
  }

  /** What is held; `undefined` when it is not known yet. */
  find(name: string, coding: Coding, version: string): Compressed | undefined {
    const held = this.#held.get(keyOf(name, coding))
    return held?.version === version ? held : undefined
  }

  /**
   * Compresses a file, once for all who ask for it meanwhile, and holds what `form` makes of it. `undefined` when it is to
   * be sent as it is: it did not become smaller, it has changed meanwhile, or too many are compressed already.
   */
  async make(
    { name, coding, version }: { readonly name: string; readonly coding: Coding; readonly version: string },
    read: () => Promise<Uint8Array | undefined>,
    form: (bytes: Uint8Array) => Representation,
  ): Promise<Representation | undefined> {
    const key = `${keyOf(name, coding)}\0${version}`
    let work = this.#underWay.get(key)
    if (work === undefined) {
      const compress = compressors.get(coding)
      if (compress === undefined || this.#underWay.size >= MAX_AT_ONCE) return undefined
      work = this.#compress(compress, read, form, { key: keyOf(name, coding), version })
      this.#underWay.set(key, work)
      const over = (): unknown => this.#underWay.delete(key)
      work.then(over, over)
    }
    return (await work).form
  }

  async #compress(
    compress: Compress,
    read: () => Promise<Uint8Array | undefined>,
    form: (bytes: Uint8Array) => Representation,
    { key, version }: { readonly key: string; readonly version: string },
  ): Promise<Compressed> {
    const plain = await read()
    if (plain === undefined) return { version, form: undefined }
    const bytes = await compress(plain)
    const isSmaller = bytes.length < plain.length
    const made = { version, form: isSmaller ? form(bytes) : undefined }
    this.#held.set(key, made, isSmaller ? bytes.length : 0)
    return made
  }
}

const keyOf = (name: string, coding: Coding): string => `${name}\0${coding}`
