import { lookup, type LookupAddress } from 'node:dns'
import { connect as netConnect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net'
import { onAbort, type AbortSignalLike } from '../../base/cancellation.js'
import { messageOf, NetError } from '../../base/errors.js'
import { systemClock } from '../system-clock.js'
import type { OnRead } from './fast-receive.js'

export interface Attempt {
  readonly address: string
  readonly reason: string
}

export interface HappyEyeballsOptions {
  readonly host: string
  readonly port: number
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  /** Milliseconds before the next address is tried beside those that wait (RFC 8305 §5: 250). */
  readonly attemptDelayMs: number
  readonly highWaterBytes: number
  readonly signal: AbortSignalLike | undefined
  readonly resolved?: () => void
}

/** One try: a socket under way, made with whatever its winner will read it by. */
export interface Try<T> {
  readonly socket: Socket
  readonly result: T
}

/**
 * RFC 8305: resolves all addresses, orders them with families in turn, and starts a try every `attemptDelayMs` (at once
 * when one fails) until one connects; the others are destroyed.
 * @throws NetError `ERR_RESOLVE`; NetError `ERR_CONNECT` with each address and why it failed in `details.attempts`.
 */
export async function connectHappily<T>(
  options: HappyEyeballsOptions,
  make: () => { onread: OnRead | undefined; result: T },
): Promise<Try<T>> {
  const addresses = await resolveHost(options.host)
  options.resolved?.()
  return new Promise((resolve, reject) => {
    const waiting = new Set<Socket>()
    const attempts: Attempt[] = []
    let next = 0
    let stopTimer = (): void => undefined
    const finish = (): void => {
      stopTimer()
      unlink()
      for (const socket of waiting) socket.destroy()
      waiting.clear()
    }
    const start = (): void => {
      stopTimer()
      const address = addresses[next]
      if (address === undefined) return
      next += 1
      const { onread, result } = make()
      const socket = netConnect(connectOptions(options, address, onread))
      // With onread, Node would begin to read once connected: a driver starts paused.
      socket.pause()
      waiting.add(socket)
      const failed = (error: Error): void => {
        waiting.delete(socket)
        attempts.push({ address: showAddress(address, options.port), reason: messageOf(error) })
        if (next < addresses.length) start()
        else if (waiting.size === 0) {
          finish()
          reject(cannotConnect(options, attempts))
        }
      }
      socket.once('error', failed)
      socket.once('connect', () => {
        socket.off('error', failed)
        waiting.delete(socket)
        finish()
        resolve({ socket, result })
      })
      if (next < addresses.length) stopTimer = systemClock.after(options.attemptDelayMs, start)
    }
    const unlink = onAbort(options.signal, (reason) => {
      finish()
      reject(reason)
    })
    if (options.signal?.aborted !== true) start()
  })
}

function connectOptions(
  options: HappyEyeballsOptions,
  { address, family }: LookupAddress,
  onread: OnRead | undefined,
): TcpNetConnectOpts {
  const { port, localAddress, localPort, highWaterBytes } = options
  const made: TcpNetConnectOpts & { readonly highWaterMark: number; readonly autoSelectFamily: boolean } = {
    host: address,
    port,
    family,
    allowHalfOpen: true,
    noDelay: true,
    highWaterMark: highWaterBytes,
    autoSelectFamily: false,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
    ...(onread === undefined ? {} : { onread }),
  }
  return made
}

async function resolveHost(host: string): Promise<LookupAddress[]> {
  const name = host === '' ? 'localhost' : host
  const family = isIP(name)
  if (family !== 0) return [{ address: name, family }]
  const found = await new Promise<LookupAddress[]>((resolve, reject) => {
    lookup(name, { all: true, order: 'verbatim' } as { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses)
      else
        reject(
          new NetError('ERR_RESOLVE', `Cannot resolve ${JSON.stringify(name)}: ${error.code ?? error.message}`, {
            cause: error,
            details: { host: name },
          }),
        )
    })
  })
  return interleaveFamilies(found)
}

/** RFC 8305 §4: families in turn, beginning with the family of the first answer. */
export function interleaveFamilies(addresses: readonly LookupAddress[]): LookupAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family)
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family)
  const ordered: LookupAddress[] = []
  for (let i = 0; i < Math.max(first.length, second.length); i += 1) {
    const [one, other] = [first[i], second[i]]
    if (one !== undefined) ordered.push(one)
    if (other !== undefined) ordered.push(other)
  }
  return ordered
}

const showAddress = ({ address, family }: LookupAddress, port: number): string =>
  family === 6 ? `[${address}]:${port}` : `${address}:${port}`

function cannotConnect({ host, port }: HappyEyeballsOptions, attempts: readonly Attempt[]): NetError {
  const tried = attempts.map(({ address, reason }) => `${address} (${reason})`).join(', ')
  return new NetError('ERR_CONNECT', `Cannot connect to ${host}:${port}: tried ${tried}`, { details: { attempts } })
}
