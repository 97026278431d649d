import { constants, existsSync, mkdirSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { messageOf } from '../../base/index.js'
import type { ClientResponse } from '../../client/index.js'
import type { CurlLine, GivenFlag } from './curl-line.js'
import type { CurlUrl } from './curl-url.js'
import { CurlFailure } from './exit-codes.js'

interface OpenFile {
  readonly file: FileHandle
  /** Bytes that were there before; `undefined` for what is no file on a disk. */
  readonly before: number | undefined
}

/** Where the body of one URL goes, over all of its tries. No file is made before there is something to write. */
export class Destination {
  readonly #line: CurlLine
  readonly #isBehind: boolean
  #path: string | undefined
  #isOfServer = false
  #open: OpenFile | undefined

  /** Stdout without a path; `isBehind` writes behind what a file has. */
  constructor(line: CurlLine, path: string | undefined, isBehind: boolean) {
    this.#line = line
    this.#path = path
    this.#isBehind = isBehind
  }

  /** `undefined` for stdout. */
  get path(): string | undefined {
    return this.#path
  }

  /** What the server calls it, in the folder where it goes. It may take no place that is taken. */
  rename(name: string): void {
    if (this.#open !== undefined || this.#path === undefined) return
    this.#path = join(dirname(this.#path), name)
    this.#isOfServer = true
  }

  /** @throws CurlFailure 23. */
  async write(bytes: Uint8Array): Promise<void> {
    const { file } = (await this.#opened()) ?? {}
    await (file === undefined ? toStdout(bytes) : this.#failing(() => writeAll(file, bytes)))
  }

  /** A body of no bytes is a file as well. @throws CurlFailure 23. */
  async finish(): Promise<void> {
    await this.#opened()
  }

  /** Takes back what was written, before another try. @throws CurlFailure 23. */
  async takeBack(): Promise<void> {
    const { file, before } = this.#open ?? {}
    if (file !== undefined && before !== undefined) await this.#failing(() => file.truncate(before))
  }

  /** With the time at which it was changed, where that is to be kept. */
  async close(changedAt?: Date): Promise<void> {
    const { file, before } = this.#open ?? {}
    this.#open = undefined
    if (file === undefined) return
    if (changedAt !== undefined && before !== undefined) await this.#failing(() => file.utimes(changedAt, changedAt))
    await file.close()
  }

  async #opened(): Promise<OpenFile | undefined> {
    const path = this.#path
    if (path === undefined) return undefined
    this.#open ??= await this.#failing(async () => {
      if (this.#line.has('create-dirs')) mkdirSync(dirname(path), { recursive: true })
      const name = this.#line.has('no-clobber') && !this.#isBehind ? freeName(path) : path
      this.#path = name
      const isNew = this.#isOfServer && !this.#line.isTakenBack('no-clobber')
      const how = this.#isBehind ? 0 : isNew ? constants.O_EXCL : constants.O_TRUNC
      const file = await open(name, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | how)
      const facts = await file.stat()
      return { file, before: facts.isFile() ? facts.size : undefined }
    })
    return this.#open
  }

  async #failing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      if (cause instanceof CurlFailure) throw cause
      throw new CurlFailure('write', `Cannot write ${JSON.stringify(this.#path)}: ${messageOf(cause)}`, cause)
    }
  }
}

/** The file that a URL belongs to, before anything came; `undefined` for stdout. */
export function plannedPath(line: CurlLine, given: GivenFlag | undefined, url: CurlUrl): string | undefined {
  const isNamed = given?.name === 'remote-name' || (given === undefined && line.has('remote-name-all'))
  if (!isNamed) return given === undefined || given.value === '-' ? undefined : inFolder(line, given.value)
  const name = fileName(url.name)
  if (name === '') throw new CurlFailure('write', `Cannot use -O: the URL ends with no name; give one with -o`)
  return inFolder(line, name)
}

const inFolder = (line: CurlLine, name: string): string => {
  const folder = line.text('output-dir')
  return folder === undefined ? name : join(folder, name)
}

/** What is no name of its own folder is made one. */
const fileName = (text: string): string => {
  const name = basename(text.replaceAll('\\', '/')).replaceAll('\0', '')
  return name === '.' || name === '..' ? '' : name
}

/** RFC 6266 §4.3: what the server calls it, where --remote-header-name believes it. */
export function nameOfServer(response: ClientResponse): string | undefined {
  const value = response.headers.get('content-disposition') ?? ''
  const [, quoted, bare] = /(?:^|;)\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(value) ?? []
  const name = fileName((quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '').trim())
  return name === '' ? undefined : name
}

function freeName(path: string): string {
  if (!existsSync(path)) return path
  for (let n = 1; n <= 100; n += 1) if (!existsSync(`${path}.${n}`)) return `${path}.${n}`
  throw new CurlFailure('write', `Cannot write ${JSON.stringify(path)}: it is there, and so are those with numbers`)
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten
}

/** Waits until the reader has it. */
export function toStdout(bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => {
      if (!(error instanceof Error)) resolve()
      else reject(new CurlFailure('write', `Cannot write to stdout: ${messageOf(error)}`, error))
    })
  })
}
