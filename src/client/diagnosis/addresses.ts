import { linkSignals, type AbortSignalLike } from '../../base/cancellation.js'
import { errorCodeOf, messageOf, MoorageError, NetError, TimeoutError } from '../../base/errors.js'
import { formatAddress } from '../../transport/address.js'
import { connect } from '../../transport/connect.js'
import { connectDatagram } from '../../transport/datagrams.js'
import { interfaceOf } from '../../transport/node/interfaces.js'
import { resolveAll, type HostAddress, type Lookup } from '../../transport/node/resolve-all.js'
import { systemClock } from '../../transport/system-clock.js'
import type { AddressAttempt, Route } from './steps.js'

interface ResolveLimits {
  readonly lookup: Lookup | undefined
  readonly signal: AbortSignalLike
  readonly connectTimeoutMs: number
}

/** @throws NetError `ERR_RESOLVE`; TimeoutError `ERR_CONNECT_TIMEOUT`, as connecting would; the signal's reason. */
export async function resolveInTime(
  host: string,
  { lookup, signal, connectTimeoutMs: timeoutMs }: ResolveLimits,
): Promise<readonly HostAddress[]> {
  const tooLate = (): TimeoutError =>
    new TimeoutError('ERR_CONNECT_TIMEOUT', `Cannot resolve ${JSON.stringify(host)} within ${timeoutMs} ms`, {
      details: { timeoutMs, stage: 'resolve', addresses: [] },
    })
  const linked = linkSignals([signal], { clock: systemClock, timeoutMs, reason: tooLate })
  try {
    return await resolveAll(host, lookup, linked)
  } finally {
    linked.unlink()
  }
}

/** Asks the system which way it would send: connecting a datagram socket sends nothing. Never rejects. */
export async function routeTo({ address, family }: HostAddress, port: number): Promise<Route> {
  const route = { address, local: undefined, interface: undefined, reason: undefined }
  try {
    const socket = await connectDatagram(`udp://${family === 6 ? `[${address}]` : address}:${port}`)
    const { local } = socket
    await socket.close()
    return local.kind === 'ip' ? { ...route, local: local.host, interface: interfaceOf(local.host) } : route
  } catch (error) {
    return { ...route, reason: systemCodeOf(error) ?? messageOf(error) }
  }
}

/** Others have so long behind the first that connects: whoever waits for them wants to know what is wrong today. */
const GRACE_MS = 2000

/** Connects to all of them at once, each by itself. Never rejects: look whether the signal is aborted. */
export async function tryAddresses(
  addresses: readonly HostAddress[],
  port: number,
  { signal, connectTimeoutMs }: Pick<ResolveLimits, 'signal' | 'connectTimeoutMs'>,
): Promise<readonly AddressAttempt[]> {
  const enough = new AbortController()
  let stopTimer = (): void => undefined
  const linked = linkSignals([signal, enough.signal], undefined)
  const connected = (): void => {
    stopTimer()
    stopTimer = systemClock.after(GRACE_MS, () => enough.abort(new TimeoutError('ERR_CONNECT_TIMEOUT', 'no answer')))
  }
  try {
    return await Promise.all(
      addresses.map((address) => tryAddress(address, port, { signal: linked, connectTimeoutMs }, connected)),
    )
  } finally {
    stopTimer()
    linked.unlink()
  }
}

async function tryAddress(
  { address: host, family }: HostAddress,
  port: number,
  limits: Pick<ResolveLimits, 'signal' | 'connectTimeoutMs'>,
  connected: () => void,
): Promise<AddressAttempt> {
  const shown = family === 6 ? `[${host}]` : host
  const address = `${shown}:${port}`
  const since = systemClock.now()
  const tried = { address, family, local: undefined, reason: undefined, systemCode: undefined, isLate: false }
  try {
    const connection = await connect(`tcp://${address}`, limits)
    const local = formatAddress(connection.local)
    connection.destroy()
    connected()
    return { ...tried, elapsedMs: systemClock.now() - since, local }
  } catch (error) {
    const systemCode = systemCodeOf(error)
    const elapsedMs = systemClock.now() - since
    if (error instanceof TimeoutError)
      return { ...tried, elapsedMs, reason: `no answer in ${Math.round(elapsedMs)} ms`, isLate: true }
    return { ...tried, elapsedMs, reason: systemCode ?? messageOf(error), systemCode }
  }
}

function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof MoorageError)) return errorCodeOf(error)
  const { systemCode, attempts } = error.details
  if (typeof systemCode === 'string') return systemCode
  const code: unknown = Array.isArray(attempts) ? Object(attempts[0]).systemCode : undefined
  return typeof code === 'string' ? code : errorCodeOf(error.cause)
}

/** What connecting throws where none of them took the connection. */
export function notConnected(
  host: string,
  port: number,
  attempts: readonly AddressAttempt[],
  timeoutMs: number,
): NetError | TimeoutError {
  const tried = attempts.map(({ address, reason = '' }) => `${address} (${reason})`).join(', ')
  const message = `Cannot connect to ${host}:${port}: tried ${tried}`
  if (!attempts.some(({ isLate }) => isLate)) return new NetError('ERR_CONNECT', message, { details: { attempts } })
  return new TimeoutError('ERR_CONNECT_TIMEOUT', message, { details: { timeoutMs, stage: 'connect', attempts } })
}
