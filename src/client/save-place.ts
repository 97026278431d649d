import { chmod, open, realpath, rename, stat } from 'node:fs/promises'
import { errorCodeOf } from '../base/errors.js'

/** Where a body is saved. */
export interface SavePlace {
  /** Behind links: they stay, and what they lead to is replaced. */
  readonly path: string
  /** A file that gets its name when it is whole; else a device, a pipe, …: that is written to as it is. */
  readonly isFile: boolean
}

/** @throws what the file system says; an Error with `code` EISDIR for a folder. */
export async function findPlace(path: string): Promise<SavePlace> {
  const real = await realpath(path).catch((error: unknown) => {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (real === undefined) return { path, isFile: true }
  const stats = await stat(real)
  if (stats.isDirectory())
    throw Object.assign(new Error(`EISDIR: a file cannot be saved as a folder, ${JSON.stringify(path)}`), {
      code: 'EISDIR',
    })
  return { path: real, isFile: stats.isFile() }
}

/** Gives a part its name; what stood there gives it its mode. */
export async function publish(part: string, path: string): Promise<void> {
  const before = await stat(path).catch(() => undefined)
  if (before !== undefined) await chmod(part, before.mode & 0o7777)
  await rename(part, path)
}

/** Into what is no file, one piece behind the other. @returns how many bytes. */
export async function writeThrough(
  pieces: AsyncIterable<Uint8Array>,
  path: string,
  seen: (piece: Uint8Array) => void = () => undefined,
): Promise<number> {
  const file = await open(path, 'w')
  let total = 0
  try {
    for await (const piece of pieces) {
      seen(piece)
      for (let at = 0; at < piece.length;) at += (await file.write(piece, at, piece.length - at, null)).bytesWritten
      total += piece.length
    }
  } finally {
    await file.close()
  }
  return total
}
