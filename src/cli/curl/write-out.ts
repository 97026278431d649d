import type { ClientResponse } from '../../client/index.js'
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
  readonly sentBytes: number
  readonly headerBytes: number
  readonly proxyUsed: boolean
}

type Value = string | number

/** Seconds, with microseconds. */
const seconds = (ms: number): string => (ms / 1000).toFixed(6)

const VARIABLES: Readonly<Record<string, (facts: WriteOutFacts) => Value>> = {
  http_code: ({ response }) => padded(response?.status),
  response_code: ({ response }) => padded(response?.status),
  http_connect: () => '000',
  http_version: ({ response }) => response?.httpVersion ?? '0',
  method: ({ method }) => method,
  scheme: ({ answer }) => (answer === undefined ? '' : answer.url.isTls ? 'HTTPS' : 'HTTP'),
  url: ({ givenUrl }) => givenUrl,
  url_effective: ({ answer, givenUrl }) =>
    answer === undefined ? givenUrl : `${answer.url.isTls ? 'https' : 'http'}://${answer.url.host}${answer.url.path}`,
  urlnum: ({ urlNumber }) => urlNumber,
  num_redirects: ({ answer }) => answer?.redirects ?? 0,
  redirect_url: ({ answer }) => answer?.redirectUrl ?? '',
  content_type: ({ response }) => response?.headers.get('content-type') ?? '',
  filename_effective: ({ path }) => path ?? '',
  exitcode: ({ exit }) => exit,
  errormsg: ({ error }) => error ?? '',
  num_headers: ({ response }) => (response === undefined ? 0 : [...response.headers].length),
  size_download: ({ downloaded }) => downloaded,
  size_upload: ({ sentBytes }) => sentBytes,
  size_header: ({ headerBytes }) => headerBytes,
  speed_download: ({ downloaded, totalMs }) => Math.round(downloaded / Math.max(totalMs / 1000, 0.000_001)),
  speed_upload: ({ sentBytes, totalMs }) => Math.round(sentBytes / Math.max(totalMs / 1000, 0.000_001)),
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
  ssl_verify_result: () => 0,
}

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
    else pieces.push([to, String(valueOf(token, facts))])
  }
  return pieces
}

const ESCAPES: Readonly<Record<string, string>> = { '%%': '%', '\\n': '\n', '\\r': '\r', '\\t': '\t' }

function valueOf(token: string, facts: WriteOutFacts): Value {
  const escape = ESCAPES[token]
  if (escape !== undefined) return escape
  const [, header] = /^%header\{(.*)\}$/s.exec(token) ?? []
  if (header !== undefined) return facts.response?.headers.getAll(header)[0] ?? ''
  const [, name] = /^%\{(.*)\}$/s.exec(token) ?? []
  if (name === undefined) return token
  if (name === 'json') return JSON.stringify(allOf(facts))
  if (name === 'header_json') return JSON.stringify(headersOf(facts))
  // What is not known is left out, with a word on stderr by curl; here it says so itself.
  return VARIABLES[name]?.(facts) ?? `unknown --write-out variable: '${name}'`
}

const NUMBERS = /^(?:size|time|speed|num)_|^(?:http_code|response_code|http_connect|exitcode|urlnum|proxy_used)$/

const allOf = (facts: WriteOutFacts): Readonly<Record<string, Value | null>> =>
  Object.fromEntries(
    Object.entries(VARIABLES)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, read]) => {
        const value = read(facts)
        return [name, value === '' ? null : NUMBERS.test(name) ? Number(value) : value]
      }),
  )

function headersOf({ response }: WriteOutFacts): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {}
  for (const [name, value] of response?.headers ?? []) (found[name.toLowerCase()] ??= []).push(value)
  return found
}
