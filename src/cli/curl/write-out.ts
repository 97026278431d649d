import type { ClientResponse } from '../../client/index.js'
import type { CurlUrl } from './curl-url.js'
import type { Tally } from './tally.js'
import type { Answer } from './transfer.js'

/** What --write-out can tell of one transfer. */
export interface WriteOutFacts {
  readonly answer: Answer | undefined
  readonly response: ClientResponse | undefined
  readonly givenUrl: string
  readonly urlNumber: number
  readonly method: string
  readonly exit: number
  readonly error: string | undefined
  readonly path: string | undefined
  readonly downloaded: number
  readonly totalMs: number
  readonly tally: Tally
  readonly headerBytes: number
  readonly proxyUsed: boolean
}

type Value = string | number

/** Seconds, with microseconds. */
const seconds = (ms: number): string => (ms / 1000).toFixed(6)

const VARIABLES: ReadonlyMap<string, (facts: WriteOutFacts) => Value> = new Map(
  Object.entries({
    http_code: ({ response }) => padded(response?.status),
    response_code: ({ response }) => padded(response?.status),
    http_connect: ({ tally }) => padded(tally.connectStatus),
    http_version: ({ response }) => response?.httpVersion ?? '0',
    method: ({ method }) => method,
    scheme: ({ answer, tally }) =>
      answer === undefined && tally.connects === 0 ? '' : tally.url?.isTls === true ? 'HTTPS' : 'HTTP',
    url: ({ givenUrl }) => givenUrl,
    url_effective: ({ tally, givenUrl }) => (tally.url === undefined ? givenUrl : whole(tally.url)),
    urlnum: ({ urlNumber }) => urlNumber,
    num_connects: ({ tally }) => tally.connects,
    num_redirects: ({ answer }) => answer?.redirects ?? 0,
    redirect_url: ({ answer }) => answer?.redirectUrl ?? '',
    content_type: ({ response }) => response?.headers.get('content-type') ?? '',
    filename_effective: ({ path }) => path ?? '',
    exitcode: ({ exit }) => exit,
    errormsg: ({ error }) => error ?? '',
    num_headers: ({ response }) => (response === undefined ? 0 : [...response.headers].length),
    size_download: ({ downloaded }) => downloaded,
    size_upload: ({ tally }) => tally.uploadedBytes,
    size_request: ({ tally }) => tally.requestBytes,
    size_header: ({ headerBytes }) => headerBytes,
    speed_download: ({ downloaded, totalMs }) => Math.round(downloaded / Math.max(totalMs / 1000, 0.000_001)),
    speed_upload: ({ tally, totalMs }) => Math.round(tally.uploadedBytes / Math.max(totalMs / 1000, 0.000_001)),
    time_namelookup: (facts) => seconds(stages(facts).resolved),
    time_connect: (facts) => seconds(stages(facts).connected),
    time_appconnect: (facts) => seconds(stages(facts).secured),
    time_pretransfer: (facts) => seconds(stages(facts).sent),
    time_starttransfer: (facts) => seconds(stages(facts).answered),
    time_redirect: ({ answer }) => seconds(answer?.redirectMs ?? 0),
    time_total: ({ totalMs }) => seconds(totalMs),
    remote_ip: (facts) => place(facts, 'remote').host,
    remote_port: (facts) => place(facts, 'remote').port,
    local_ip: (facts) => place(facts, 'local').host,
    local_port: (facts) => place(facts, 'local').port,
    proxy_used: ({ proxyUsed }) => (proxyUsed ? 1 : 0),
    ssl_verify_result: ({ tally }) => tally.verifyResult,
    // A proxy whose certificate is not trusted is not spoken to.
    proxy_ssl_verify_result: () => 0,
    referer: ({ tally }) => tally.referer ?? '',
  } satisfies Record<string, (facts: WriteOutFacts) => Value>),
)

const whole = ({ isTls, host, path }: CurlUrl): string => `${isTls ? 'https' : 'http'}://${host}${path}`

const padded = (status: number | undefined): string => String(status ?? 0).padStart(3, '0')

function stages({
  answer,
  response,
}: WriteOutFacts): Readonly<Record<'resolved' | 'connected' | 'secured' | 'sent' | 'answered', number>> {
  const { resolveMs = 0, connectMs = 0, tlsMs, firstByteMs = 0 } = response?.elapsed ?? {}
  const connected = (resolveMs ?? 0) + (connectMs ?? 0)
  const before = answer?.redirectMs ?? 0
  return {
    resolved: before + (resolveMs ?? 0),
    connected: before + connected,
    secured: tlsMs === undefined ? 0 : before + connected + tlsMs,
    sent: before + connected + (tlsMs ?? 0),
    answered: before + connected + (tlsMs ?? 0) + firstByteMs,
  }
}

function place(
  { response }: WriteOutFacts,
  side: 'remote' | 'local',
): { readonly host: string; readonly port: number } {
  const address = response?.connection?.[side]
  return address !== undefined && 'host' in address ? address : { host: '', port: 0 }
}

/** What goes to stdout and to stderr, in their order. */
export type WrittenPiece = readonly [to: 'stdout' | 'stderr', text: string]

/** `%{name}`, `%header{name}`, `%{json}`, `%{header_json}`, `%{stderr}`, `%{stdout}`, `%{onerror}`, `%%`, `\n`, `\r`, `\t`. */
export function formatWriteOut(format: string, facts: WriteOutFacts): readonly WrittenPiece[] {
  const pieces: WrittenPiece[] = []
  let to: 'stdout' | 'stderr' = 'stdout'
  for (const [token] of format.matchAll(/%%|%\{[^}]*\}|%header\{[^}]*\}|\\[nrt\\]|[^%\\]+|[%\\]/g)) {
    if (token === '%{onerror}') {
      if (facts.exit === 0) break
    } else if (token === '%{stderr}') to = 'stderr'
    else if (token === '%{stdout}') to = 'stdout'
    else {
      const value = valueOf(token, facts)
      pieces.push(
        value === undefined ? ['stderr', `moorage: there is no --write-out variable ${token}\n`] : [to, String(value)],
      )
    }
  }
  return pieces
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['%%', '%'],
  ['\\n', '\n'],
  ['\\r', '\r'],
  ['\\t', '\t'],
])

/** `undefined` for what is not known. */
function valueOf(token: string, facts: WriteOutFacts): Value | undefined {
  const escape = ESCAPES.get(token)
  if (escape !== undefined) return escape
  const [, header] = /^%header\{(.*)\}$/s.exec(token) ?? []
  if (header !== undefined) return facts.response?.headers.getAll(header)[0] ?? ''
  const [, name] = /^%\{(.*)\}$/s.exec(token) ?? []
  if (name === undefined) return token
  if (name === 'json') return JSON.stringify(allOf(facts))
  if (name === 'header_json') return headersOf(facts)
  return VARIABLES.get(name)?.(facts)
}

const NUMBERS = /^(?:size|time|speed|num)_|^(?:http_code|response_code|http_connect|exitcode|urlnum|proxy_used)$/

const allOf = (facts: WriteOutFacts): Readonly<Record<string, Value | null>> =>
  Object.fromEntries(
    [...VARIABLES]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, read]) => {
        const value = read(facts)
        return [name, value === '' ? null : NUMBERS.test(name) ? Number(value) : value]
      }),
  )

/** By their names in small letters, one a line. */
function headersOf({ response }: WriteOutFacts): string {
  const found = new Map<string, string[]>()
  for (const [name, value] of response?.headers ?? []) {
    const key = name.toLowerCase()
    found.set(key, [...(found.get(key) ?? []), value])
  }
  return `{${[...found].map(([name, values]) => `${JSON.stringify(name)}:${JSON.stringify(values)}`).join(',\n')}\n}`
}
