import type { CurlLine, GivenFlag } from './curl-line.js'
import { readSource } from './source-files.js'

/** The body of --data and its kin, and what it is. */
export interface PostData {
  readonly bytes: Uint8Array
  readonly isJson: boolean
}

/** In the order of the words, with `&` between; JSON is put together as it is. `undefined` where none was given. */
export async function postDataOf(line: CurlLine): Promise<PostData | undefined> {
  const given = line.ordered('data', 'data-ascii', 'data-raw', 'data-binary', 'data-urlencode', 'json')
  if (given.length === 0) return undefined
  const pieces: Buffer[] = []
  for (const each of given) {
    const bytes = await bytesOf(each)
    if (pieces.length > 0 && each.name !== 'json') pieces.push(Buffer.from('&'))
    pieces.push(bytes)
  }
  return { bytes: Buffer.concat(pieces), isJson: given.some(({ name }) => name === 'json') }
}

async function bytesOf({ name, value }: GivenFlag): Promise<Buffer> {
  if (name === 'data-urlencode') return Buffer.from(await encodeData(value))
  if (name === 'data-raw' || !value.startsWith('@')) return Buffer.from(value)
  const bytes = await readSource(value.slice(1))
  return name === 'data' || name === 'data-ascii' ? withoutLineEnds(bytes) : bytes
}

/** Nor are there bytes of 0. */
export const withoutLineEnds = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.filter((byte) => byte !== 10 && byte !== 13 && byte !== 0))

/** `content`, `=content`, `name=content`, `@file` and `name@file`: the name stays as it is. */
export async function encodeData(value: string): Promise<string> {
  const [, name = '', mark = '', rest = ''] = /^([^=@]*)([=@])(.*)$/s.exec(value) ?? []
  const content = mark === '' ? Buffer.from(value) : mark === '@' ? await readSource(rest) : Buffer.from(rest)
  const encoded = encodeBytes(content)
  return name === '' ? encoded : `${name}=${encoded}`
}

/** As application/x-www-form-urlencoded, with `~` bare. */
function encodeBytes(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[^\w.~-]/g, (byte) =>
      byte === ' ' ? '+' : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
}
