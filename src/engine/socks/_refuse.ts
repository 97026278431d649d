import { ProtocolError, UsageError } from '../../base/errors.js'

/** @throws ProtocolError `ERR_SOCKS` */
export function refuse(what: string): never {
  throw new ProtocolError('ERR_SOCKS', `Cannot read SOCKS message: ${what}`)
}

/** Nothing of what was given is told: it may be a secret. @throws UsageError `ERR_ARGUMENT` */
export function refuseArgument(what: string): never {
  throw new UsageError('ERR_ARGUMENT', `Cannot encode SOCKS message: ${what}`)
}

export const shownByte = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`
