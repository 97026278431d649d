import { lookup as systemLookup } from 'node:dns'
import { isIP } from 'node:net'
import { besideSignal, throwIfAborted, type AbortSignalLike } from '../../base/cancellation.js'
import { errorCodeOf, messageOf, NetError } from '../../base/errors.js'

/** One address of a host. */
export interface HostAddress {
  /** Numeric. */
  readonly address: string
  /** 4 or 6. */
  readonly family: number
}

/** Finds all addresses of a name. It throws, or gives none, where there are none. */
export type Lookup = (host: string) => Promise<readonly HostAddress[]>

/**
 * All addresses of a host, with families in turn (RFC 8305 §4); a numeric one is its own.
 * @throws NetError `ERR_RESOLVE`, with `details.host`; `signal.reason`.
 */
export async function resolveAll(
  host: string,
  lookup: Lookup = bySystem,
  signal?: AbortSignalLike,
): Promise<readonly HostAddress[]> {
  const name = host === '' ? 'localhost' : host
  const family = isIP(name)
  if (family !== 0) return [{ address: name, family }]
  try {
    // The system's resolver cannot be stopped: what it still finds after an abort is dropped.
    const found = await besideSignal(lookup(name), signal)
    if (found.length > 0) return interleaveFamilies(found)
  } catch (cause) {
    throwIfAborted(signal)
    throw new NetError(
      'ERR_RESOLVE',
      `Cannot resolve ${JSON.stringify(name)}: ${errorCodeOf(cause) ?? messageOf(cause)}`,
      {
        cause,
        details: { host: name },
      },
    )
  }
  throw new NetError('ERR_RESOLVE', `Cannot resolve ${JSON.stringify(name)}: it has no address`, {
    details: { host: name },
  })
}

const bySystem: Lookup = (name) =>
  new Promise((resolve, reject) => {
    systemLookup(name, { all: true, order: 'verbatim' } as { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses)
      else reject(error)
    })
  })

/** RFC 8305 §4: families in turn, beginning with the family of the first answer. */
function interleaveFamilies(addresses: readonly HostAddress[]): readonly HostAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family)
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family)
  const ordered: HostAddress[] = []
  for (let i = 0; i < Math.max(first.length, second.length); i += 1) {
    const [one, other] = [first[i], second[i]]
    if (one !== undefined) ordered.push(one)
    if (other !== undefined) ordered.push(other)
  }
  return ordered
}
