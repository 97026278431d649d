import { randomBytes } from 'node:crypto'
import { open, rename, rm, writeFile } from 'node:fs/promises'
import { concatBytes } from '../base/bytes.js'
import { findPlace } from './save-place.js'

const READ_BYTES = 64 * 1024

/** Everything in a small file, as UTF-8; also of what has no size, such as a pipe. @throws RangeError over `maxBytes`. */
export async function readWhole(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, 'r')
  try {
    const parts: Uint8Array[] = []
    for (let total = 0; ;) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(READ_BYTES))
      if (bytesRead === 0) return new TextDecoder().decode(concatBytes(parts))
      total += bytesRead
      if (total > maxBytes) throw new RangeError(`it has more than ${maxBytes} bytes`)
      parts.push(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
}

/**
 * Writes a file that only its owner may read, so that under its name there is always a whole one, the old or the new:
 * beside it under a name of chance, flushed to the disk (unless `sync` is false), then renamed. Links stay, and what is no
 * file (a device, a pipe) is written to as it is.
 */
export async function replaceWhole(
  path: string,
  content: string | Uint8Array,
  { sync = true }: { readonly sync?: boolean } = {},
): Promise<void> {
  const place = await findPlace(path)
  if (!place.isFile) return writeFile(place.path, content)
  const temporary = `${place.path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  try {
    try {
      await file.writeFile(content)
      if (sync) await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, place.path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
