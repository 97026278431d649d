import { LimitError, messageOf, UsageError } from '../base/errors.js'
import { newBrokerId } from './broker-id.js'

/** What is kept under a key: JSON in a line, and behind it the bytes of a value that is some. */
export interface Entry<T> {
  readonly value: T
  readonly freshUntilMs: number
  readonly staleUntilMs: number
  /** The version that each tag had. */
  readonly tags: Readonly<Record<string, string>>
}

const NEWLINE = 0x0a

export const newTagVersion = (): Uint8Array => Buffer.from(newBrokerId(), 'latin1')

/** @throws LimitError `ERR_ROOM_MESSAGE_SIZE`; UsageError `ERR_ARGUMENT`. */
export function encodeEntry<T>({ value, ...head }: Entry<T>, maxValueBytes: number): Uint8Array {
  const isBytes = value instanceof Uint8Array
  const text = isBytes ? '' : toJson(value)
  const length = isBytes ? value.length : Buffer.byteLength(text)
  if (length > maxValueBytes) {
    throw new LimitError(
      'ERR_ROOM_MESSAGE_SIZE',
      `Cannot keep ${length} bytes: at most maxValueBytes, ${maxValueBytes}`,
      {
        details: { maxValueBytes },
      },
    )
  }
  const first = Buffer.from(`${JSON.stringify({ ...head, isBytes })}\n`)
  return Buffer.concat([first, isBytes ? value : Buffer.from(text)])
}

function toJson(value: unknown): string {
  try {
    const text: string | undefined = JSON.stringify(value)
    if (text !== undefined) return text
  } catch (error) {
    throw new UsageError('ERR_ARGUMENT', `Cannot keep that value: ${messageOf(error)}`, { cause: error })
  }
  throw new UsageError('ERR_ARGUMENT', `Cannot keep a value of type ${typeof value}: expected what JSON has, or bytes`)
}

/** `undefined` for what is none of ours. */
export function decodeEntry<T>(bytes: Uint8Array): Entry<T> | undefined {
  const end = bytes.indexOf(NEWLINE)
  try {
    const head: unknown = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString())
    if (!isHead(head)) return undefined
    const { isBytes, ...rest } = head
    const body = bytes.subarray(end + 1)
    const value: unknown = isBytes ? new Uint8Array(body) : JSON.parse(Buffer.from(body).toString())
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever opened the cache says what is in it
    return { ...rest, value: value as T }
  } catch {
    return undefined
  }
}

function isHead(head: unknown): head is Omit<Entry<unknown>, 'value'> & { readonly isBytes: boolean } {
  return (
    typeof head === 'object' &&
    head !== null &&
    'freshUntilMs' in head &&
    typeof head.freshUntilMs === 'number' &&
    'staleUntilMs' in head &&
    typeof head.staleUntilMs === 'number' &&
    'tags' in head &&
    typeof head.tags === 'object'
  )
}
