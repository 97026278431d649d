import { UsageError } from '../../base/index.js'
import { proxyFor } from '../../client/index.js'
import type { CurlLine } from './curl-line.js'
import type { CurlUrl } from './curl-url.js'
import { percentDecode } from './percent-encoding.js'

/** The proxy of one URL. */
export interface CurlProxy {
  /** Without user and password. */
  readonly url: string
  readonly isSocks: boolean
  /** With user and password, for SOCKS. */
  readonly urlWithUser: string
  readonly user: string | undefined
  readonly password: string
}

const SOCKS = ['socks4', 'socks4a', 'socks5', 'socks5-hostname'] as const

/** --proxy, --socks…, or the environment, but for what NO_PROXY has; `undefined` for none. @throws UsageError `ERR_PROXY_URL`. */
export function proxyOf(line: CurlLine, url: CurlUrl, env: NodeJS.ProcessEnv = process.env): CurlProxy | undefined {
  const named = namedProxy(line)
  if (named === '') return undefined
  // A field of a request is HTTP_PROXY to a CGI program (CVE-2016-5385): in capitals it is nobody's wish.
  const { HTTP_PROXY: _, ...variables } = env
  const list = line.text('noproxy')
  const exempt = list === undefined ? pick(env, 'no_proxy', 'NO_PROXY') : { no_proxy: list }
  const found = proxyFor(
    new URL(url.href),
    named === undefined
      ? { ...variables, NO_PROXY: undefined, no_proxy: undefined, ...exempt }
      : { all_proxy: named, ...exempt },
  )
  return found === undefined ? undefined : parse(found, line.text('proxy-user'))
}

const pick = (env: NodeJS.ProcessEnv, ...names: readonly string[]): NodeJS.ProcessEnv =>
  Object.fromEntries(names.map((name) => [name, env[name]]))

function namedProxy(line: CurlLine): string | undefined {
  const given = line.ordered('proxy', ...SOCKS).at(-1)
  if (given === undefined || given.value === '') return given?.value
  const scheme = given.name === 'socks5-hostname' ? 'socks5h' : given.name
  if (given.name !== 'proxy') return `${scheme}://${given.value.replace(/^\w+:\/\//, '')}`
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(given.value) ? given.value : `http://${given.value}`
}

/** The port of a proxy is 1080 where none is given, and 443 over TLS. */
function parse(text: string, proxyUser: string | undefined): CurlProxy {
  const [, scheme = 'http', info, place = ''] = /^([a-z0-9+.-]+):\/\/(?:(.*)@)?([^/@]*)\/?.*$/is.exec(text) ?? []
  if (place === '') throw new UsageError('ERR_PROXY_URL', 'Cannot use the proxy: it has no host')
  const kind = scheme.toLowerCase() === 'socks' ? 'socks4' : scheme.toLowerCase()
  const port = /:\d+$/.test(place) ? '' : kind === 'https' ? ':443' : ':1080'
  const colon = (proxyUser ?? '').indexOf(':')
  const [user, password] =
    proxyUser === undefined
      ? (info?.split(/:(.*)/s).map(percentDecode) ?? [])
      : colon === -1
        ? [proxyUser]
        : [proxyUser.slice(0, colon), proxyUser.slice(colon + 1)]
  const secret = password === undefined || password === '' ? '' : `:${encodeURIComponent(password)}`
  const prefix = user === undefined ? '' : `${encodeURIComponent(user)}${kind.startsWith('socks4') ? '' : secret}@`
  return {
    url: `${kind}://${place}${port}`,
    urlWithUser: `${kind}://${prefix}${place}${port}`,
    isSocks: kind.startsWith('socks'),
    user,
    password: password ?? '',
  }
}
