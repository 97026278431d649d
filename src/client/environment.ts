import { tryParseIpv4, tryParseIpv6 } from '../engine/ip-address.js'

/** The variables of a process; `process.env` is one. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Which proxy the environment names for a URL; `undefined` for none. It is returned as it is written, so that whoever
 * parses it can say what is wrong with it; one without a scheme is an `http:` proxy.
 *
 * `http_proxy` for `http:` and `ws:`, `https_proxy` for `https:` and `wss:`, `all_proxy` where those are not set; lower case
 * counts before upper case, and an empty variable is not set. `HTTP_PROXY` is passed over where `REQUEST_METHOD` is set: in
 * a CGI program it is the field `Proxy` of a request, and so anybody's choice (CVE-2016-5385).
 *
 * `no_proxy` or `NO_PROXY` has what is reached without: names, parted by commas or space, each with the names below it
 * (`a.example`, also written `.a.example` and `*.a.example`), addresses, networks (`10.0.0.0/8`, `fd00::/8`), each with a
 * port where only that one is meant (`a.example:8080`, `[::1]:80`), or `*` for all.
 *
 * `localhost` and the addresses of this machine are not special: they go through the proxy unless they are listed, as with
 * curl and Python's requests. Names are not resolved: a network in `no_proxy` is for URLs with addresses.
 */
export function proxyFor(url: URL, env: Environment): string | undefined {
  const proxy = namedProxy(url.protocol, env)
  if (proxy === undefined || isExempt(url, either(env, 'no_proxy') ?? '')) return undefined
  return /^[a-z][a-z\d+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`
}

function namedProxy(protocol: string, env: Environment): string | undefined {
  const all = either(env, 'all_proxy')
  if (protocol === 'https:' || protocol === 'wss:') return either(env, 'https_proxy') ?? all
  if (protocol !== 'http:' && protocol !== 'ws:') return all
  const isCgi = variable(env, 'REQUEST_METHOD') !== undefined
  return (isCgi ? variable(env, 'http_proxy') : either(env, 'http_proxy')) ?? all
}

const either = (env: Environment, name: string): string | undefined =>
  variable(env, name) ?? variable(env, name.toUpperCase())

function variable(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim()
  return value === '' ? undefined : value
}

const DEFAULT_PORTS = new Map([
  ['http:', '80'],
  ['ws:', '80'],
  ['https:', '443'],
  ['wss:', '443'],
])

function isExempt({ protocol, hostname, port }: URL, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const address = parseAddress(host)
  const hostPort = port === '' ? DEFAULT_PORTS.get(protocol) : port
  for (const member of list.split(/[\s,]+/)) {
    if (member === '') continue
    if (member === '*') return true
    const [, bracketed, bare = '', only] = /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(unlessAddress(member)) ?? []
    if (only !== undefined && Number(only) !== Number(hostPort)) continue
    const pattern = bracketed ?? bare
    if (address === undefined ? matchesName(host, pattern) : matchesAddress(address, pattern)) return true
  }
  return false
}

/** An IPv6 address or network in brackets, as only there a colon before digits is not that of a port. */
const unlessAddress = (member: string): string =>
  parseAddress(member.replace(/\/.*/s, ''))?.length === 16 ? `[${member}]` : member

const parseAddress = (text: string): Uint8Array | undefined => tryParseIpv4(text) ?? tryParseIpv6(text)

function matchesName(host: string, pattern: string): boolean {
  const name = asciiName(pattern.replace(/^\*?\./, '').replace(/\.$/, ''))
  return name !== '' && (host === name || host.endsWith(`.${name}`))
}

/** As a URL has it: in lower case, and in Punycode. */
function asciiName(name: string): string {
  if (/^[\x21-\x7e]*$/.test(name)) return name.toLowerCase()
  return URL.canParse(`http://${name}`) ? new URL(`http://${name}`).hostname : ''
}

function matchesAddress(address: Uint8Array, pattern: string): boolean {
  const [text = '', bits] = pattern.split('/', 2)
  const network = parseAddress(text)
  if (network?.length !== address.length) return false
  if (bits === undefined) return isSamePrefix(address, network, address.length * 8)
  return /^\d{1,3}$/.test(bits) && Number(bits) <= address.length * 8 && isSamePrefix(address, network, Number(bits))
}

function isSamePrefix(left: Uint8Array, right: Uint8Array, bits: number): boolean {
  for (let at = 0; at * 8 < bits; at += 1) {
    const different = (left[at] ?? 0) ^ (right[at] ?? 0)
    const counted = Math.min(8, bits - at * 8)
    if (different >> (8 - counted) !== 0) return false
  }
  return true
}
