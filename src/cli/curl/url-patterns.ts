import { CurlFailure } from './exit-codes.js'
import { shownUrl } from './shown-url.js'

/** One URL of a pattern, with what each of its parts became: `#1` in the name of a file is the first. */
export interface ExpandedUrl {
  readonly url: string
  readonly parts: readonly string[]
}

/** More are nobody's wish. */
const MAX_URLS = 100_000

/**
 * `{one,two}`, `[1-10]`, `[001-100]`, `[1-10:3]`, `[a-z]`: all URLs of a pattern, the last part the fastest. A backslash before
 * a brace or a bracket makes it a character; an IPv6 address is none, and `[]` is itself.
 * @throws CurlFailure 3.
 */
export function expandUrl(text: string): readonly ExpandedUrl[] {
  let urls: readonly ExpandedUrl[] = [{ url: '', parts: [] }]
  for (let at = 0; at < text.length;) {
    const [token, choices] = readToken(text, at)
    if (urls.length * (choices?.length ?? 1) > MAX_URLS) throw wrongPattern(text, `it is more than ${MAX_URLS} URLs`)
    urls =
      choices === undefined
        ? urls.map(({ url, parts }) => ({ url: url + token.replace(/^\\(?=[{}[\]])/, ''), parts }))
        : urls.flatMap(({ url, parts }) => choices.map((each) => ({ url: url + each, parts: [...parts, each] })))
    at += token.length
  }
  return urls
}

/** What stands at this place, and what it may become; `undefined` for itself alone. */
function readToken(text: string, at: number): readonly [token: string, choices?: readonly string[]] {
  const rest = text.slice(at)
  const [plain] =
    /^(?:\\[{}[\]]|[^\\{}[\]]+|\\|\[\]|\[[0-9a-f:.]*:[0-9a-f:.]*(?:%[\w.-]+)?\](?=[:/?#]|$))/i.exec(rest) ?? []
  if (plain !== undefined) return [plain]
  const [set, members] = /^\{([^{}]*)\}/.exec(rest) ?? []
  if (members === '') throw wrongPattern(text, 'a set has at least one member')
  if (set !== undefined && members !== undefined) return [set, members.split(',')]
  const [range, first, last, step = '1'] = /^\[(\d+|[a-z])-(\d+|[a-z])(?::(\d+))?\]/i.exec(rest) ?? []
  if (range !== undefined && first !== undefined && last !== undefined) return [range, rangeOf(text, first, last, step)]
  throw wrongPattern(text, `what begins at its character ${at + 1} is no set and no range`)
}

function rangeOf(text: string, first: string, last: string, by: string): readonly string[] {
  const isLetters = /^[a-z]$/i.test(first)
  if (isLetters !== /^[a-z]$/i.test(last))
    throw wrongPattern(text, 'a range goes from a number to a number, or from a letter to one')
  const [from, to, step] = [
    isLetters ? first.charCodeAt(0) : Number(first),
    isLetters ? last.charCodeAt(0) : Number(last),
    Number(by),
  ]
  if (step === 0 || from > to || (to - from) / step > MAX_URLS) throw wrongPattern(text, 'a range goes up, and ends')
  const found: string[] = []
  for (let each = from; each <= to; each += step)
    found.push(isLetters ? String.fromCharCode(each) : String(each).padStart(first.length, '0'))
  return found
}

/** `#1` is what the first part of the pattern became. */
export const nameOfParts = (name: string, parts: readonly string[]): string =>
  name.replace(/#(\d+)/g, (whole, number: string) => parts[Number(number) - 1] ?? whole)

const wrongPattern = (text: string, why: string): CurlFailure =>
  new CurlFailure('url', `Cannot use ${shownUrl(text)}: ${why}; -g takes it as it is`)
