import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { messageOf } from '../../base/index.js'
import { CurlFailure } from './exit-codes.js'

/** A file whole; `-` is stdin. @throws CurlFailure 26. */
export async function readSource(path: string): Promise<Buffer> {
  if (path === '-') return readAll(process.stdin)
  try {
    return await readFile(path)
  } catch (cause) {
    throw new CurlFailure('read', `Cannot read ${JSON.stringify(path)}: ${messageOf(cause)}`, cause)
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** A file while it is sent. */
export const streamSource = (path: string): AsyncIterable<Uint8Array> =>
  path === '-' ? process.stdin : createReadStream(path)
