import { appendQuery, parseTarget } from '../client/index.js'
import { formatCurl } from './curl-words.js'
import type { ParsedOptions } from './options.js'
import { parseHeader, toJsonObject, type RequestItems } from './request-items.js'
import type { REQUEST_OPTIONS } from './request-options.js'

type Options = ParsedOptions<typeof REQUEST_OPTIONS>

/** What an option is to curl: flags, or why it cannot be said there. */
interface Said {
  readonly flags?: readonly string[]
  readonly cannot?: string | undefined
}

const NOTHING: Said = {}
const flag = (isGiven: boolean | undefined, ...flags: readonly string[]): Said =>
  isGiven === true ? { flags } : NOTHING
const valued = (name: string, value: string | number | undefined): Said =>
  value === undefined ? NOTHING : { flags: [name, String(value)] }
const seconds = (name: string, ms: number | undefined): Said => valued(name, ms === undefined ? undefined : ms / 1000)
const cannot = (isGiven: boolean, why: string): Said => (isGiven ? { cannot: why } : NOTHING)

const saves = ({ output, 'remote-name': remoteName }: Options): boolean =>
  remoteName === true || (output !== undefined && output !== '-')

/** Every option of a request has its line here, or there is none of its name. */
const SAID: { readonly [Name in keyof typeof REQUEST_OPTIONS]: (options: Options) => Said } = {
  // These three are the request itself.
  header: () => NOTHING,
  form: () => NOTHING,
  data: () => NOTHING,
  follow: ({ follow }) => flag(follow !== false, '-L'),
  'max-redirects': (options) => valued('--max-redirs', options['max-redirects']),
  auth: ({ auth, 'auth-type': type, netrc }) => {
    if (auth === undefined)
      return cannot(
        netrc !== true && process.env['MOORAGE_AUTH'] !== undefined,
        'the credentials of MOORAGE_AUTH: give -u',
      )
    if (type === 'bearer') return { flags: ['-H', `Authorization: Bearer ${auth}`] }
    return { flags: [...(type === 'digest' ? ['--digest'] : []), '-u', auth] }
  },
  'auth-type': () => NOTHING,
  netrc: ({ netrc }) => {
    const file = process.env['NETRC'] ?? ''
    return file === '' ? flag(netrc, '-n') : flag(netrc, '--netrc-file', file)
  },
  insecure: ({ insecure }) => flag(insecure, '-k'),
  ca: ({ ca }) => valued('--cacert', ca),
  cert: ({ cert }) => valued('--cert', cert),
  key: ({ key }) => valued('--key', key),
  'server-name': (options) => cannot(options['server-name'] !== undefined, '--server-name: see --connect-to of curl'),
  alpn: ({ alpn }) => {
    if (alpn === 'http/1.1') return { flags: ['--http1.1'] }
    return cannot(alpn !== undefined && alpn !== 'h2,http/1.1', '--alpn: there are --http1.1 and --http2')
  },
  // The URL says it.
  tls: () => NOTHING,
  proxy: ({ proxy }) => (proxy === 'none' ? { flags: ['--noproxy', '*'] } : valued('-x', proxy)),
  timeout: ({ timeout }) => seconds('-m', timeout),
  'connect-timeout': (options) => seconds('--connect-timeout', options['connect-timeout']),
  retry: ({ retry }) => valued('--retry', retry),
  compressed: ({ compressed }) => flag(compressed, '--compressed'),
  cookies: ({ cookies }) =>
    cookies?.endsWith('.json') === true
      ? { cannot: `--cookies ${cookies}: curl reads and writes no JSON; give a cookies.txt` }
      : { flags: cookies === undefined ? [] : ['-b', cookies, '-c', cookies] },
  session: ({ session }) =>
    cannot(session !== undefined, '--session: cookies and credentials that it keeps are left out'),
  output: ({ output }) => valued('-o', output),
  'remote-name': (options) => flag(options['remote-name'], '-O'),
  fail: (options) => (saves(options) ? { flags: ['-f'] } : flag(options.fail, '--fail-with-body')),
  include: (options) =>
    saves(options) && options.include === true
      ? { cannot: '--include with a file: curl writes the head into it; see its --dump-header' }
      : flag(options.include, '-i'),
  resume: ({ resume }) => cannot(resume === true, '--resume: see --continue-at of curl, for downloads'),
  digest: ({ digest }) => cannot(digest !== undefined, '--digest: check what was saved by sha256sum'),
  har: ({ har }) => cannot(har !== undefined, '--har: there is no such record; see its --trace-ascii'),
  timing: ({ timing }) => cannot(timing === true, '--timing: see its --write-out'),
  pretty: ({ pretty }) => cannot(pretty === true, '--pretty: pipe it into jq'),
  curl: () => NOTHING,
}

/** The command of curl that does the same, and what of the options it cannot say. */
export function curlEquivalent(
  method: string,
  url: string,
  items: RequestItems,
  options: Options,
): { readonly line: string; readonly cannot: readonly string[] } {
  const { data, form } = options
  const { query, fields, files } = items
  const isForm = form === true && files.length === 0
  const text = isForm
    ? new URLSearchParams(fields.map(({ name, value }): [string, string] => [name, String(value)])).toString()
    : JSON.stringify(toJsonObject(items))
  const hasParts = files.length > 0
  const said = Object.values(SAID).map((say) => say(options))
  const { endpoint, path } = parseTarget(url)
  const isSocket = endpoint.scheme === 'unix'
  const asked = isSocket ? `http://localhost${path}` : new URL(url).href
  const line = formatCurl({
    method,
    url: appendQuery(asked, query),
    headers: [
      ...(data === undefined && fields.length > 0 && !hasParts && !isForm
        ? [['Content-Type', 'application/json'] as const]
        : []),
      ...dataType(data, [...items.headers, ...(options.header ?? []).map(parseHeader)]),
    ],
    data: data ?? (fields.length > 0 && !hasParts ? text : undefined),
    form: hasParts
      ? [
          ...fields.map(({ name, value }) => [
            '--form-string',
            `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
          ]),
          ...files.map(({ name, path: file, type }) => [
            '-F',
            `${name}=@"${file.replaceAll(/["\\]/g, '\\$&')}"${type === undefined ? '' : `;type=${type}`}`,
          ]),
        ]
      : [],
    flags: [
      // What stands in brackets and braces is a pattern to curl.
      ...(/[[\]{}]/.test(asked) ? ['-g'] : []),
      ...(isSocket ? ['--unix-socket', endpoint.path] : []),
      ...said.flatMap(({ flags = [] }) => flags),
    ],
  })
  return { line, cannot: said.flatMap((each) => each.cannot ?? []) }
}

/** Fields with the type that the body has here; curl takes every one for a form. */
function dataType(
  data: string | undefined,
  fields: readonly (readonly [name: string, value: string])[],
): readonly (readonly [name: string, value: string])[] {
  if (data === undefined || fields.some(([name]) => name.toLowerCase() === 'content-type')) return fields
  const type = data.startsWith('@') ? 'application/octet-stream' : 'text/plain; charset=utf-8'
  return [['Content-Type', type], ...fields]
}
