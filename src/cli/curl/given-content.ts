import { messageOf } from '../../base/index.js'
import type { CurlLine } from './curl-line.js'
import { CurlFailure } from './exit-codes.js'
import { formBodyOf, type FormBody } from './form-body.js'
import { parseHeaderLines, toFieldBytes, type HeaderLine } from './header-lines.js'
import type { Narration } from './narration.js'
import { encodeData, postDataOf, withoutLineEnds, type PostData } from './post-data.js'
import { readSource } from './source-files.js'

/** What the words of a command line have to send and to print: read once, for all URLs and all tries. Stdin ends but once. */
export interface GivenContent {
  readonly data: PostData | undefined
  readonly form: FormBody | undefined
  /** Of --url-query. */
  readonly query: readonly string[]
  readonly lines: readonly HeaderLine[]
  readonly proxyLines: readonly HeaderLine[]
  /** Of --write-out. */
  readonly format: string | undefined
}

/** @throws CurlFailure 26 for a file that cannot be read; UsageError `ERR_OPTION_VALUE`. */
export async function readGivenContent(line: CurlLine, narration: Narration): Promise<GivenContent> {
  const lines = await headerLinesOf(line)
  const proxyLines = await parseHeaderLines(line.texts('proxy-header'))
  const data = await postDataOf(line)
  const form = await formBodyOf(line)
  const query: string[] = []
  for (const text of line.texts('url-query')) query.push(text.startsWith('+') ? text.slice(1) : await encodeData(text))
  return { lines, proxyLines, data, form, query, format: await formatOf(line.text('write-out'), narration) }
}

/** A file of --write-out has no lines: an end of one in what is printed is written `\n`. */
async function formatOf(given: string | undefined, narration: Narration): Promise<string | undefined> {
  if (given?.startsWith('@') !== true) return given
  try {
    return withoutLineEnds(await readSource(given.slice(1))).toString()
  } catch (error) {
    narration.warn(`--write-out prints nothing: ${messageOf(error)}`)
    return undefined
  }
}

/** Those of --header, and those that --json and --etag-compare bring along. */
async function headerLinesOf(line: CurlLine): Promise<readonly HeaderLine[]> {
  const lines = [...(await parseHeaderLines(line.texts('header')))]
  const names = new Set(lines.map(({ name }) => name.toLowerCase()))
  const add = (name: string, value: string): void => {
    if (!names.has(name.toLowerCase())) lines.push({ name, value, isRemoved: false })
  }
  const etag = line.text('etag-compare')
  if (etag !== undefined) {
    const [text = ''] = (await readSource(etag)).toString().split(/\r?\n/)
    lines.push({ name: 'If-None-Match', value: toFieldBytes(text === '' ? '""' : text), isRemoved: false })
  }
  if (line.has('json')) {
    add('Content-Type', 'application/json')
    add('Accept', 'application/json')
  }
  return lines
}

/** RFC 9110 §8.6: a length that the body has not cuts it, or lets the server wait. @throws CurlFailure 2. */
export function demandLength(lines: readonly HeaderLine[], length: number | 'chunked'): void {
  const given = lines.find(({ name, isRemoved }) => name.toLowerCase() === 'content-length' && !isRemoved)
  if (given !== undefined && given.value !== String(length))
    throw new CurlFailure(
      'usage',
      `Cannot send Content-Length: ${given.value.slice(0, 64)}: the body ${length === 'chunked' ? 'is sent in chunks' : `has ${length} bytes`}`,
    )
}
