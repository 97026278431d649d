import { constants, rmSync } from 'node:fs'
import { copyFile, link, mkdtemp, open, readFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorCodeOf } from '../../base/errors.js'
import type { FormFilePart, FormPart } from './part.js'

/** A file of a form that lies in the temporary folder of the system until the request is answered. */
export class FormFile {
  /** As the client says: without folders, '' when it said none. Not to be trusted more than any name. */
  readonly name: string
  /** As the client says. */
  readonly type: string
  readonly size: number
  readonly #path: string

  constructor(name: string, type: string, size: number, path: string) {
    this.name = name
    this.type = type
    this.size = size
    this.#path = path
  }

  async *stream(): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await open(this.#path)
    try {
      yield* file.createReadStream({ autoClose: false })
    } finally {
      await file.close()
    }
  }

  bytes(): Promise<Uint8Array> {
    return readFile(this.#path)
  }

  /** Keeps it under a name of your own, which must be free. @throws what the file system says: `EEXIST`, `ENOSPC`. */
  async saveTo(path: string): Promise<void> {
    try {
      await link(this.#path, path)
    } catch (error) {
      if (errorCodeOf(error) === 'EEXIST') throw error
      // The temporary folder is on another file system.
      await copyFile(this.#path, path, constants.COPYFILE_EXCL)
    }
  }
}

export type FormValue = string | FormFile

/** A form that was read to its end. */
export class Form implements Iterable<readonly [name: string, value: FormValue]> {
  readonly #entries: readonly (readonly [name: string, value: FormValue])[]

  constructor(entries: readonly (readonly [name: string, value: FormValue])[]) {
    this.#entries = entries
  }

  /** The first with this name. */
  get(name: string): FormValue | undefined {
    return this.#entries.find(([own]) => own === name)?.[1]
  }

  /** The first with this name, if it is text. */
  text(name: string): string | undefined {
    const value = this.get(name)
    return typeof value === 'string' ? value : undefined
  }

  /** The first with this name, if it is a file. */
  file(name: string): FormFile | undefined {
    const value = this.get(name)
    return value instanceof FormFile ? value : undefined
  }

  getAll(name: string): readonly FormValue[] {
    return this.#entries.filter(([own]) => own === name).map(([, value]) => value)
  }

  [Symbol.iterator](): Iterator<readonly [name: string, value: FormValue]> {
    return this.#entries[Symbol.iterator]()
  }
}

/** Reads all parts; files go to a folder that `onRelease` is given the end of. What it throws has left nothing behind. */
export async function spoolForm(
  parts: AsyncIterable<FormPart>,
  onRelease: (cleanup: () => void) => void,
): Promise<Form> {
  const entries: (readonly [string, FormValue])[] = []
  let folder: string | undefined
  for await (const part of parts) {
    if (part.kind === 'field') {
      entries.push([part.name, part.value])
      continue
    }
    if (folder === undefined) {
      const made = await mkdtemp(join(tmpdir(), 'moorage-form-'))
      folder = made
      onRelease(() => rmSync(made, { recursive: true, force: true }))
    }
    const path = join(folder, String(entries.length))
    const size = await spool(part, path)
    // A browser sends an input without a file as one without name and content.
    if (part.sentName !== '' || size > 0) entries.push([part.name, new FormFile(part.fileName, part.type, size, path)])
  }
  return new Form(entries)
}

async function spool(part: FormFilePart, path: string): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  let size = 0
  try {
    for await (const bytes of part) {
      await writeAll(file, bytes)
      size += bytes.length
    }
  } finally {
    await file.close()
  }
  return size
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten
}
