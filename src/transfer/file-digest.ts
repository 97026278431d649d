import { createHash, type Hash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'

const BLOCK_BYTES = 1024 * 1024

/**
 * Feeds the first `length` bytes of a file to a hash. Resolves with how many there were: fewer when the file is shorter.
 * Reading ahead of the hash keeps disk and processor busy at once.
 */
export async function hashStart(
  hash: Hash,
  file: FileHandle,
  length: number,
  cancelled: () => boolean,
): Promise<number> {
  let [current, spare] = [Buffer.allocUnsafeSlow(BLOCK_BYTES), Buffer.allocUnsafeSlow(BLOCK_BYTES)]
  const readAt = async (buffer: Buffer, at: number): Promise<number> => {
    const wanted = Math.min(buffer.length, length - at)
    return wanted <= 0 ? 0 : (await file.read(buffer, 0, wanted, at)).bytesRead
  }
  let done = 0
  let count = await readAt(current, 0)
  while (count > 0 && !cancelled()) {
    const reading = readAt(spare, done + count)
    hash.update(current.subarray(0, count))
    done += count
    count = await reading
    ;[current, spare] = [spare, current]
  }
  return done
}

/** SHA-256 of what was hashed so far; the hash can go on. */
export const digestSoFar = (hash: Hash): Uint8Array => hash.copy().digest()

export const newHash = (): Hash => createHash('sha256')

export const toHex = (digest: Uint8Array): string => Buffer.from(digest).toString('hex')

/** Of the first `length` bytes of a file. */
export async function digestFile(path: string, length: number): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const hash = newHash()
    await hashStart(hash, file, length, () => false)
    return hash.digest()
  } finally {
    await file.close()
  }
}
