import type { ExactHead } from '../../client/index.js'
import type { CurlUrl } from './curl-url.js'
import type { HeaderLine } from './header-lines.js'
import type { CurlBody } from './request-body.js'

type Pair = readonly [name: string, value: string]

/** All that the head of one request is made of. */
export interface HeadParts {
  readonly method: string
  readonly url: CurlUrl
  /** What the first line asks for, where it is not the path of the URL. */
  readonly requestTarget: string | undefined
  readonly isForwarded: boolean
  readonly body: CurlBody
  /** Of --header; the last ones are those of --json. */
  readonly lines: readonly HeaderLine[]
  /** Credentials that were given for the first host are not for this one. */
  readonly isElsewhere: boolean
  readonly proxyAuthorization: string | undefined
  readonly authorization: string | undefined
  /** Range, or Content-Range. */
  readonly range: Pair | undefined
  readonly userAgent: string
  readonly acceptEncoding: string | undefined
  readonly referer: string | undefined
  readonly cookie: string | undefined
  /** If-Modified-Since or If-Unmodified-Since. */
  readonly condition: Pair | undefined
  readonly proxyLines: readonly HeaderLine[]
  readonly expectsContinue: boolean
}

const OF_USER = new Set(['authorization', 'cookie'])

/** The head as curl has it: Host, who one is, what is wanted, the fields of --header, and what the body is. */
export function toExactHead(parts: HeadParts): ExactHead {
  const { url, body, lines, isElsewhere, isForwarded, expectsContinue } = parts
  const given = new Map(lines.map((line) => [line.name.toLowerCase(), line]))
  const isChunked = body.length === 'chunked' || wantsChunks(given, body)
  const own = (name: string, value: string | undefined): readonly Pair[] =>
    value === undefined || given.has(name.toLowerCase()) ? [] : [[name, value]]
  const custom = lines.flatMap(({ name, value, isRemoved }): readonly Pair[] => {
    const key = name.toLowerCase()
    const isMade = key === 'host' || key === 'content-length' || (key === 'expect' && !expectsContinue)
    if (isRemoved || isMade || (isElsewhere && OF_USER.has(key))) return []
    return [[name, value]]
  })
  const host = given.get('host')
  return {
    target: isForwarded ? `http://${url.host}${url.path}` : (parts.requestTarget ?? url.path),
    host: host !== undefined && !host.isRemoved && !isElsewhere && !isForwarded ? host.value : url.host,
    ...(/^close$/i.test(given.get('connection')?.value ?? '') ? { close: true } : {}),
    ...(expectsContinue ? { expectsContinue: true } : {}),
    fields: [
      ...own('Proxy-Authorization', parts.proxyAuthorization),
      ...own('Authorization', parts.authorization),
      ...(parts.range === undefined || isOfOther(parts.range, body) ? [] : own(...parts.range)),
      ...own('User-Agent', parts.userAgent === '' ? undefined : parts.userAgent),
      ...own('Accept', '*/*'),
      ...own('Accept-Encoding', parts.acceptEncoding),
      ...own('Referer', parts.referer === '' ? undefined : parts.referer),
      ...(isForwarded ? own('Proxy-Connection', 'Keep-Alive') : []),
      ...(body.length === 'chunked' ? own('Transfer-Encoding', 'chunked') : []),
      ...own('Cookie', parts.cookie),
      ...(parts.condition === undefined ? [] : own(...parts.condition)),
      ...custom,
      ...(isForwarded ? proxyPairs(parts.proxyLines) : []),
      ...(body.kind === 'none' || isChunked ? [] : [['Content-Length', String(body.length)] as const]),
      ...own('Content-Type', body.contentType),
      ...(expectsContinue ? own('Expect', '100-continue') : []),
    ],
  }
}

/** Behind a redirect that leads to a GET no file is sent any more. */
const isOfOther = ([name]: Pair, { kind }: CurlBody): boolean => name === 'Content-Range' && kind === 'none'

export const proxyPairs = (lines: readonly HeaderLine[]): readonly Pair[] =>
  lines.filter(({ isRemoved }) => !isRemoved).map(({ name, value }) => [name, value])

/** `-H "Transfer-Encoding: chunked"` sends what is there in one chunk. */
export const wantsChunks = (given: ReadonlyMap<string, HeaderLine>, body: CurlBody): boolean =>
  body.kind !== 'none' && /^chunked$/i.test(given.get('transfer-encoding')?.value ?? '')

/** Of a body that is longer, or uploaded, the server is asked first whether it wants it. */
const EXPECT_BYTES = 1024 * 1024

/** Whether the body waits for the server's 100, as curl 7 has it. */
export function waitsForContinue(body: CurlBody, lines: readonly HeaderLine[]): boolean {
  const given = lines.find(({ name }) => name.toLowerCase() === 'expect')
  if (given !== undefined) return !given.isRemoved && /^100-continue$/i.test(given.value) && body.length !== 0
  if (body.kind === 'none' || body.length === 0) return false
  return body.kind === 'upload' || body.length === 'chunked' || body.length > EXPECT_BYTES
}
