import { UsageError } from '../../base/index.js'

/** One part of --form, as it was written. */
export interface FormPart {
  readonly name: string
  /** A text; a file that is sent as a file; the content of a file as a text. */
  readonly kind: 'text' | 'file' | 'content'
  /** The text, or the path. */
  readonly value: string
  readonly type: string | undefined
  readonly filename: string | undefined
  readonly headers: readonly string[]
}

/**
 * `name=text`, `name=@file`, `name=<file`, with `;type=`, `;filename=` and `;headers=` behind them; what has a `;` or a `,` in
 * it stands in quotes.
 * @throws UsageError `ERR_OPTION_VALUE`.
 */
export function parseFormPart(text: string): FormPart {
  const equals = text.indexOf('=')
  if (equals === -1) throw wrongPart('', 'expected name=content')
  const name = text.slice(0, equals)
  const content = text.slice(equals + 1)
  const mark = content[0]
  if (content === '(' || content === ')' || content.startsWith('(;') || (name === '' && content === ')'))
    throw wrongPart(text, 'parts within parts are not sent here')
  const kind = mark === '@' ? 'file' : mark === '<' ? 'content' : 'text'
  const { word: value, rest } = readWord(kind === 'text' ? content : content.slice(1), kind === 'file' ? ';,' : ';')
  if (rest.startsWith(',')) throw wrongPart(text, 'give each file in a --form of its own')
  return { name, kind, value, ...attributesOf(text, rest) }
}

function attributesOf(text: string, given: string): Pick<FormPart, 'type' | 'filename' | 'headers'> {
  let type: string | undefined
  let filename: string | undefined
  const headers: string[] = []
  for (let rest = given; rest !== '';) {
    const [, name = ''] = /^;\s*(type|filename|headers|encoder)=/s.exec(rest) ?? []
    if (name === '') {
      // Parameters of the media type stand behind it.
      const [parameter = ''] = /^;[^;]*/s.exec(rest) ?? []
      if (type === undefined || parameter === '')
        throw wrongPart(text, 'behind a “;” stand type=, filename= and headers=; what has one itself stands in quotes')
      type += parameter
      rest = rest.slice(parameter.length)
      continue
    }
    if (name === 'encoder') throw wrongPart(text, 'there are no encoders here; parts are sent as they are')
    const read = readWord(rest.slice(rest.indexOf('=') + 1), ';')
    rest = read.rest
    if (name === 'type') type = read.word
    else if (name === 'filename') filename = read.word
    else headers.push(read.word)
  }
  return { type, filename, headers }
}

/** Up to one of the ends, or in quotes. */
function readWord(text: string, ends: string): { readonly word: string; readonly rest: string } {
  const [quoted, inside] = /^"((?:[^"\\]|\\.)*)"(?=\s*(?:[;,]|$))/s.exec(text) ?? []
  if (quoted !== undefined && inside !== undefined)
    return { word: inside.replace(/\\(["\\])/g, '$1'), rest: text.slice(quoted.length).trimStart() }
  const at = text.search(ends.length > 1 ? /[;,]/ : /;/)
  return at === -1 ? { word: text, rest: '' } : { word: text.slice(0, at), rest: text.slice(at) }
}

/** What the part has may be a secret. */
const wrongPart = (text: string, why: string): UsageError =>
  new UsageError('ERR_OPTION_VALUE', `Cannot use --form ${JSON.stringify(/^[^=]{0,64}=?/.exec(text)?.[0])}: ${why}`)

/** What curl knows by the end of the name. */
const TYPES: Readonly<Record<string, string>> = {
  gif: 'image/gif',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  htm: 'text/html',
  html: 'text/html',
  pdf: 'application/pdf',
  xml: 'application/xml',
}

/** The media type of a part; none for a text, and for what is read from stdin without a name. */
export function typeOfPart({ kind, value, type, filename }: FormPart): string | undefined {
  if (type !== undefined || kind === 'content') return type
  const name = filename ?? (kind === 'file' ? value : '')
  const isOnDisk = kind === 'file' && value !== '-'
  return TYPES[/\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? ''] ?? (isOnDisk ? 'application/octet-stream' : undefined)
}

/** RFC 7578 §4.2: what stands before the content. */
export function headOfPart(part: FormPart): string {
  const { name, kind, value, filename, headers } = part
  const type = typeOfPart(part)
  const shown =
    kind === 'content' ? undefined : (filename ?? (kind === 'file' ? value.replace(/^.*\//s, '') : undefined))
  const file = shown === undefined ? '' : `; filename="${escaped(shown)}"`
  const lines = [
    `Content-Disposition: form-data; name="${escaped(name)}"${file}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    ...headers,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

const escaped = (text: string): string => text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
