import { LimitError } from '../base/errors.js'
import { findCharset } from './charset.js'

export interface TextLineOptions {
  /** Characters; a longer line is an error. Default: 1 MiB. */
  readonly maxLineLength?: number | undefined
}

const DEFAULT_MAX_LENGTH = 1024 * 1024
const LINE_END = /\r\n|\n|\r(?!$)/g

/**
 * The lines of a body as they come, without what ends them: LF, CR LF or CR. The charset is that of the first bytes, of the
 * Content-Type, or UTF-8. What comes before the next line end is held. @throws LimitError `ERR_BODY_LIMIT`.
 */
export async function* textLines(
  body: AsyncIterable<Uint8Array>,
  contentType: string | undefined,
  { maxLineLength = DEFAULT_MAX_LENGTH }: TextLineOptions = {},
): AsyncGenerator<string, void, undefined> {
  let decoder: InstanceType<typeof TextDecoder> | undefined
  let rest = ''
  for await (const bytes of body) {
    decoder ??= new TextDecoder(charsetOf(bytes, contentType))
    rest += decoder.decode(bytes, { stream: true })
    let at = 0
    for (const { 0: mark, index } of rest.matchAll(LINE_END)) {
      yield rest.slice(at, index)
      at = index + mark.length
    }
    rest = rest.slice(at)
    if (rest.length > maxLineLength)
      throw new LimitError('ERR_BODY_LIMIT', `Cannot read a line: it has more than ${maxLineLength} characters`, {
        details: { limit: maxLineLength },
      })
  }
  rest += decoder?.decode() ?? ''
  if (rest !== '') yield rest.replace(/\r$/, '')
}

/** The first bytes may end within a character, and would be no UTF-8 then. */
function charsetOf(bytes: Uint8Array, contentType: string | undefined): string {
  const found = findCharset(bytes, contentType)
  const isTold = /charset\s*=/i.test(contentType ?? '') || found !== 'windows-1252'
  return isTold ? found : 'utf-8'
}
