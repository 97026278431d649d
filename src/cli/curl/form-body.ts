import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { messageOf } from '../../base/index.js'
import type { BodyInit } from '../../client/index.js'
import type { CurlLine } from './curl-line.js'
import { CurlFailure } from './exit-codes.js'
import { headOfPart, parseFormPart, type FormPart } from './form-part.js'
import { readSource, streamSource } from './source-files.js'

/** A form that is ready to be sent. */
export interface FormBody {
  readonly body: BodyInit
  readonly length: number | 'chunked'
  readonly contentType: string
}

interface ReadyPart {
  readonly head: Buffer
  /** Bytes, or a file that is read while it is sent. */
  readonly content: Uint8Array | { readonly path: string; readonly size: number }
}

/** --form and --form-string in their order; `undefined` where none was given. */
export async function formBodyOf(line: CurlLine): Promise<FormBody | undefined> {
  const given = line.ordered('form', 'form-string')
  if (given.length === 0) return undefined
  const boundary = `${'-'.repeat(24)}${randomBytes(8).toString('hex')}`
  const parts: ReadyPart[] = []
  for (const { name, value } of given)
    parts.push(await ready(name === 'form' ? parseFormPart(value) : textPart(value), boundary))
  const end = Buffer.from(`--${boundary}--\r\n`)
  const length = parts.reduce((sum, { head, content }) => sum + head.length + sizeOf(content) + 2, end.length)
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length,
    body: {
      contentType: undefined,
      length,
      bytes: undefined,
      isReplayable: true,
      open: () => piecesOf(parts, end),
    },
  }
}

function textPart(text: string): FormPart {
  const equals = text.indexOf('=')
  const [name, value] = equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
  return { name, kind: 'text', value, type: undefined, filename: undefined, headers: [] }
}

async function ready(part: FormPart, boundary: string): Promise<ReadyPart> {
  const head = Buffer.from(`--${boundary}\r\n${headOfPart(part)}`)
  const { kind, value } = part
  if (kind === 'text') return { head, content: Buffer.from(value) }
  if (kind === 'content' || value === '-') return { head, content: await readSource(value) }
  try {
    const facts = await stat(value)
    if (!facts.isFile()) return { head, content: await readSource(value) }
    return { head, content: { path: value, size: facts.size } }
  } catch (cause) {
    if (cause instanceof CurlFailure) throw cause
    throw new CurlFailure('read', `Cannot read ${JSON.stringify(value)}: ${messageOf(cause)}`, cause)
  }
}

const sizeOf = (content: ReadyPart['content']): number => ('path' in content ? content.size : content.length)

const LINE_END = Buffer.from('\r\n')

async function* piecesOf(parts: readonly ReadyPart[], end: Uint8Array): AsyncGenerator<Uint8Array> {
  for (const { head, content } of parts) {
    if ('path' in content) {
      yield head
      yield* streamSource(content.path)
      yield LINE_END
    } else yield Buffer.concat([head, content, LINE_END])
  }
  yield end
}
