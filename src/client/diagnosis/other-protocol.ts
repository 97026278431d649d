import { MoorageError } from '../../base/errors.js'
import { connect } from '../../transport/connect.js'
import { StreamConnection } from '../../transport/stream-connection.js'
import { routeOf } from '../pool.js'
import type { Finding, StepName } from './steps.js'
import type { Trail } from './trail.js'

/** So long a server has to greet, or to make a handshake that nobody asked for. */
const GREETING_MS = 1000
const HANDSHAKE_MS = 3000
/** What is shown of a greeting. */
const MAX_SHOWN = 64

/** What a port of TLS makes of a request without it: an alert, an end, or from nginx, Apache and Go a 400 that says so. */
const SUSPECT = new Set(['ERR_HTTP_START_LINE', 'ERR_UNEXPECTED_END', 'ERR_PEER_RESET', 'ERR_PEER_GONE', 'ERR_SOCKET'])

/** A step without TLS; where it fails as it would on a port of TLS, a handshake there tells whether it is one. */
export async function orPortOfTls<Name extends StepName>(
  trail: Trail,
  step: () => Promise<Finding<Name>>,
): Promise<Finding<Name>> {
  let found: Finding<Name>
  try {
    found = await step()
  } catch (error) {
    if (!isSuspect(error) || !isOfTarget(trail, error) || !(await speaksTls(trail))) throw error
    return { facts: {}, error, ...verdict(trail) }
  }
  const isBad = trail.response?.status === 400 && trail.response.history.length === 0
  return isBad && !trail.isForwarded && !trail.target.isTls && (await speaksTls(trail))
    ? { ...found, ...verdict(trail) }
    : found
}

const isSuspect = (error: unknown): boolean =>
  error instanceof MoorageError && (SUSPECT.has(error.code) || error.details['status'] === 400)

/** It is about what was asked for, and not about where a redirect led. */
function isOfTarget({ target, isForwarded }: Trail, error: unknown): boolean {
  if (target.isTls || isForwarded) return false
  const url = error instanceof MoorageError ? error.details['url'] : undefined
  return url === undefined || url === target.href
}

const verdict = ({ isWebSocket }: Trail): { readonly summary: string; readonly suggestion: string } => ({
  summary: 'the port was asked without TLS, and speaks it',
  suggestion: `this port speaks TLS: use ${isWebSocket ? 'wss' : 'https'}://`,
})

async function speaksTls(trail: Trail): Promise<boolean> {
  const { target, settings, connecting } = trail
  const { endpoint, tls } = routeOf({ ...target, isTls: true }, undefined, settings.tls, false)
  const handshakeTimeoutMs = Math.min(HANDSHAKE_MS, settings.handshakeTimeoutMs)
  try {
    const connection = await connect(endpoint, { ...connecting, handshakeTimeoutMs, tls: { ...tls, verify: false } })
    connection.destroy()
    return true
  } catch {
    return false
  }
}

/** Of a port that speaks no TLS: what it says to whoever connects, before it is asked anything. */
export async function speaksPlain(trail: Trail): Promise<{ readonly summary: string; readonly suggestion: string }> {
  const greeting = await greetingOf(trail)
  const what = 'the port does not speak TLS'
  if (greeting === '') {
    const scheme = trail.isWebSocket ? 'ws' : 'http'
    return { summary: what, suggestion: `that port does not speak TLS: use ${scheme}:// where it speaks HTTP` }
  }
  const [, name = 'another protocol'] = PROTOCOLS.find(([sign]) => sign.test(greeting)) ?? []
  return {
    summary: `${what}, it says first ${JSON.stringify(greeting.slice(0, MAX_SHOWN))}`,
    suggestion: `check host and port: it speaks ${name} there`,
  }
}

const PROTOCOLS: readonly (readonly [sign: RegExp, name: string])[] = [
  [/^SSH-/, 'SSH'],
  [/^220[ -].*smtp/i, 'SMTP'],
  [/^220[ -].*ftp/i, 'FTP'],
  [/^220[ -]/, 'SMTP or FTP'],
  [/^\+OK/, 'POP3'],
  [/^\* OK/, 'IMAP'],
  [/mysql|mariadb/i, 'MySQL'],
]

/** Nothing where it waits to be asked, as HTTP does. */
async function greetingOf({ route, connecting }: Trail): Promise<string> {
  try {
    const connection = await connect(route.endpoint, connecting)
    if (!(connection instanceof StreamConnection)) return ''
    try {
      const bytes = await connection.read({ timeoutMs: GREETING_MS })
      return bytes === null ? '' : Buffer.from(bytes).toString('latin1').trimEnd()
    } finally {
      connection.destroy()
    }
  } catch {
    return ''
  }
}
