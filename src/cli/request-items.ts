import { UsageError } from '../base/index.js'
import { filePart, type FilePart } from '../client/index.js'

/** What the words behind the URL of a request come to. */
export interface RequestItems {
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Fields of JSON or of a form, in the order they came. */
  readonly fields: readonly RequestField[]
  readonly files: readonly RequestFile[]
}

export interface RequestField {
  readonly name: string
  /** Of `name:=json` whatever JSON says, of `name=value` a text. */
  readonly value: unknown
}

export interface RequestFile {
  readonly name: string
  readonly path: string
  readonly type: string | undefined
}

/** The longest first: `==` would be read as `=`. */
const SEPARATORS = [':=', '==', '=', '@', ':'] as const
type Separator = (typeof SEPARATORS)[number]

/**
 * The items of httpie: `Header:value`, `query==value`, `name=value`, `name:=json`, `file@path;type=text/plain`. A `\` takes
 * its meaning from the separator behind it.
 * @throws UsageError `ERR_ARGUMENT`, which says which item it is, and nothing of its value: it may be a password.
 */
export function parseItems(words: readonly string[]): RequestItems {
  const headers: (readonly [string, string])[] = []
  const query: (readonly [string, string])[] = []
  const fields: RequestField[] = []
  const files: RequestFile[] = []
  for (const [at, word] of words.entries()) {
    const { name, separator, rest } = splitItem(word, at + 1)
    switch (separator) {
      case ':':
        headers.push([name, rest.trim()])
        break
      case '==':
        query.push([name, rest])
        break
      case '=':
        fields.push({ name, value: rest })
        break
      case ':=':
        fields.push({ name, value: parseJson(name, rest) })
        break
      case '@':
        files.push(parseFile(name, rest))
        break
    }
  }
  return { headers, query, fields, files }
}

function splitItem(
  word: string,
  number: number,
): { readonly name: string; readonly separator: Separator; readonly rest: string } {
  let name = ''
  for (let at = 0; at < word.length; at += 1) {
    const letter = word[at] ?? ''
    if (letter === '\\' && at + 1 < word.length) {
      at += 1
      name += word[at] ?? ''
      continue
    }
    const separator = SEPARATORS.find((each) => word.startsWith(each, at))
    if (separator !== undefined && name !== '') return { name, separator, rest: word.slice(at + separator.length) }
    name += letter
  }
  throw new UsageError(
    'ERR_ARGUMENT',
    `Cannot use item ${number} behind the URL: expected Header:value, name=value, name:=json, query==value or file@path`,
  )
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What the parser says has a piece of the text.
    throw new UsageError(
      'ERR_ARGUMENT',
      `Cannot use the item ${JSON.stringify(name.slice(0, 64))}: what stands behind := is no JSON; a text is given by name=value`,
    )
  }
}

function parseFile(name: string, text: string): RequestFile {
  const [, path = text, type] = /^(.*?)(?:;type=([^;]+))?$/s.exec(text) ?? []
  return { name, path, type }
}

/** A form with files. */
export function toMultipart({
  fields,
  files,
}: RequestItems): readonly (readonly [name: string, value: string | FilePart])[] {
  const texts = fields.map(
    ({ name, value }) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  )
  const parts = files.map(({ name, path, type }) => [name, filePart(path, type === undefined ? {} : { type })] as const)
  return [...texts, ...parts]
}

/** A name that comes twice is the last one, as in a literal of JSON. */
export const toJsonObject = ({ fields }: RequestItems): Readonly<Record<string, unknown>> =>
  Object.fromEntries(fields.map(({ name, value }) => [name, value]))

/** `--header`. @throws UsageError `ERR_OPTION_VALUE`, which has no more of it than what could be its name. */
export function parseHeader(line: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/s.exec(line) ?? []
  if (name === '')
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot use --header ${JSON.stringify(/^[\w-]*/.exec(line)?.[0].slice(0, 64))}…: there is no colon; expected name: value`,
    )
  return [name.trim(), value.trim()]
}
