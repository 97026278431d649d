import { pairsOf, textOfScalar, type Scalar } from './scalar.js'

/** Names and values in their order; a list is the same name several times. */
export type QueryInit =
  | Readonly<Record<string, Scalar | readonly Scalar[]>>
  | Iterable<readonly [name: string, value: Scalar | readonly Scalar[]]>

/**
 * What a query leaves bare: all that the query percent-encode set of the URL standard leaves bare, without what parts
 * names and values (`&`, `=`, `+`, `%`, `#`), without `'`, which browsers encode in `http:` URLs, and without the eight that
 * RFC 3986 has in no query (`[ ] \ ^ ` { | }`): browsers send those as they are, and strict servers refuse them.
 */
const NOT_BARE_IN_QUERY = /[^\w!$()*,./:;?@~-]+/g

/** What application/x-www-form-urlencoded leaves bare. */
const NOT_BARE_IN_FORM = /[^\w*.-]+/g

/**
 * The URL with more behind its query, which stays as it is; a fragment stays behind it. Space is `%20`, which every server
 * reads as a space.
 *
 * @throws UsageError `ERR_ARGUMENT` for a value of another kind.
 * @example
 * appendQuery('http://a.example/?x=1', { tag: ['a', 'b'], since: new Date(0), not: undefined })
 * // 'http://a.example/?x=1&tag=a&tag=b&since=1970-01-01T00:00:00.000Z'
 */
export function appendQuery(url: string, query: QueryInit): string {
  const more = encodePairs('query', query, encodeInQuery)
  if (more === '') return url
  const hash = url.indexOf('#')
  const [before, fragment] = hash === -1 ? [url, ''] : [url.slice(0, hash), url.slice(hash)]
  const mark = before.includes('?') ? (/[?&]$/.test(before) ? '' : '&') : '?'
  return before + mark + more + fragment
}

/**
 * A form as application/x-www-form-urlencoded, byte for byte as `URLSearchParams` has it (URL standard §5.2).
 * @throws UsageError `ERR_ARGUMENT` for a value of another kind.
 */
export function encodeForm(form: QueryInit): string {
  return encodePairs('form', form, encodeInForm)
}

function encodePairs(where: string, given: QueryInit, encode: (text: string) => string): string {
  const pairs: string[] = []
  for (const [name, values] of pairsOf<Scalar | readonly Scalar[]>(where, given)) {
    for (const value of isList(values) ? values : [values]) {
      const text = textOfScalar(where, name, value)
      if (text !== undefined) pairs.push(`${encode(name)}=${encode(text)}`)
    }
  }
  return pairs.join('&')
}

// `Array.isArray` does not tell readonly arrays apart.
const isList = (values: Scalar | readonly Scalar[]): values is readonly Scalar[] => Array.isArray(values)

const encodeInQuery = (text: string): string => text.replace(NOT_BARE_IN_QUERY, percentEncode)

const encodeInForm = (text: string): string =>
  text.replace(NOT_BARE_IN_FORM, (run) => percentEncode(run).replaceAll('%20', '+'))

/** In UTF-8; half a surrogate pair becomes U+FFFD, as everywhere on the web. */
function percentEncode(run: string): string {
  let encoded = ''
  for (const byte of Buffer.from(run, 'utf8')) encoded += HEX[byte] ?? ''
  return encoded
}

const HEX = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
