import type { LimitCode, ProtocolCode } from '../../base/codes.js'
import { LimitError, ProtocolError } from '../../base/errors.js'

/** `details.closeCode` is what the connection is closed with, `details.section` what the peer broke, of RFC 6455. */
export const refuse = (code: ProtocolCode, message: string, closeCode: number, section: string): ProtocolError =>
  new ProtocolError(code, message, { details: { closeCode, section: `RFC 6455 ${section}` } })

export const refuseLimit = (code: LimitCode, message: string, closeCode: number, limit: number): LimitError =>
  new LimitError(code, message, { details: { closeCode, limit } })
