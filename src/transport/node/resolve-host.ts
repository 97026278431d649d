import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { onAbort, throwIfAborted, type AbortSignalLike } from '../../base/cancellation.js'
import { fromSystemError } from './errno.js'

/**
 * The system's first numeric address of a host; a numeric one is returned as it is. A scope (`fe80::1%eth0`) stays.
 * @throws NetError `ERR_RESOLVE`; `signal.reason`.
 */
export async function resolveHost(host: string, signal: AbortSignalLike | undefined): Promise<string> {
  throwIfAborted(signal)
  if (isIP(host) !== 0) return host
  let unlink: () => void = () => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    unlink = onAbort(signal, reject)
  })
  try {
    // The system's resolver cannot be stopped: what it still finds after an abort is dropped.
    const { address } = await Promise.race([lookup(host), aborted])
    return address
  } catch (error) {
    throwIfAborted(signal)
    throw fromSystemError(`resolve ${JSON.stringify(host)}`, error)
  } finally {
    unlink()
  }
}
