import { connect as netConnect, type Socket, type TcpNetConnectOpts } from 'node:net'
import { onAbort, type AbortSignalLike } from '../../base/cancellation.js'
import { errorCodeOf, messageOf, NetError } from '../../base/errors.js'
import { systemClock } from '../system-clock.js'
import type { OnRead } from './fast-receive.js'
import { resolveAll, type HostAddress, type Lookup } from './resolve-all.js'

export interface Attempt {
  readonly address: string
  readonly reason: string
  /** What the system calls it: `ECONNREFUSED`. */
  readonly systemCode: string | undefined
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
  /** In place of the system's. */
  readonly lookup?: Lookup | undefined
  readonly resolved?: () => void
  /** Called with each address (`127.0.0.1:80`) that is tried. */
  readonly tried?: ((address: string) => void) | undefined
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
  const addresses = await resolveAll(options.host, options.lookup, options.signal)
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
      options.tried?.(showAddress(address, options.port))
      const { onread, result } = make()
      const socket = netConnect(connectOptions(options, address, onread))
      // With onread, Node would begin to read once connected: a driver starts paused.
      socket.pause()
      waiting.add(socket)
      const failed = (error: Error): void => {
        waiting.delete(socket)
        attempts.push({
          address: showAddress(address, options.port),
          reason: messageOf(error),
          systemCode: errorCodeOf(error),
        })
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
  { address, family }: HostAddress,
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

const showAddress = ({ address, family }: HostAddress, port: number): string =>
  family === 6 ? `[${address}]:${port}` : `${address}:${port}`

function cannotConnect({ host, port }: HappyEyeballsOptions, attempts: readonly Attempt[]): NetError {
  const tried = attempts.map(({ address, reason }) => `${address} (${reason})`).join(', ')
  return new NetError('ERR_CONNECT', `Cannot connect to ${host}:${port}: tried ${tried}`, { details: { attempts } })
}
