import { escapeBytes } from '../../base/ascii.js'
import { ProtocolError, UsageError } from '../../base/errors.js'

const SHOWN_BEFORE = 16

/** @throws ProtocolError `ERR_PROXY_HEADER`, with the place and what stands around it. */
export function refuse(what: string, header: Uint8Array, position: number): never {
  const from = Math.max(0, position - SHOWN_BEFORE)
  const shown = escapeBytes(header.subarray(from))
  throw new ProtocolError(
    'ERR_PROXY_HEADER',
    `Cannot parse PROXY header: ${what} at byte ${position}; from byte ${from} it reads ${shown}`,
    { details: { position } },
  )
}

/** @throws UsageError `ERR_ARGUMENT` */
export function refuseArgument(what: string): never {
  throw new UsageError('ERR_ARGUMENT', `Cannot encode PROXY header: ${what}`)
}
