import { TimeoutError } from '../base/errors.js'
import type { Exchange } from './exchange.js'

/** For how long a server is waited for, in each phase of an exchange. */
export class Patience {
  /** Since when nothing has gone or come that was wanted; -1 while nothing is waited for. */
  since = -1
  /** The request is with the system. */
  isSent = false
  hasHead = false

  begin(now: number, isSent: boolean): void {
    this.since = now
    this.isSent = isSent
    this.hasHead = false
  }

  /** Bytes came: of a body they are what is waited for; a head has its time as a whole, however slowly it comes. */
  heard(now: number): void {
    if (this.hasHead && this.since !== -1) this.since = now
  }

  /** The head is there: now the body is waited for. */
  answered(now: number): void {
    this.hasHead = true
    this.since = now
  }

  /** What ends the exchange, when something took too long. */
  overdue(now: number, exchange: Exchange): Error | undefined {
    if (now >= exchange.deadline) return exchange.tooLate()
    if (this.since === -1) return undefined
    const waited = now - this.since
    const { responseTimeoutMs, bodyTimeoutMs } = exchange
    if (this.isSent && !this.hasHead)
      return waited < responseTimeoutMs
        ? undefined
        : silent('ERR_RESPONSE_TIMEOUT', 'sent no head of a response', responseTimeoutMs)
    if (waited < bodyTimeoutMs) return undefined
    return this.isSent
      ? silent('ERR_BODY_TIMEOUT', 'sent nothing more', bodyTimeoutMs)
      : silent('ERR_WRITE_TIMEOUT', 'took nothing of the request', bodyTimeoutMs)
  }
}

const silent = (
  code: 'ERR_WRITE_TIMEOUT' | 'ERR_RESPONSE_TIMEOUT' | 'ERR_BODY_TIMEOUT',
  what: string,
  timeoutMs: number,
): TimeoutError => new TimeoutError(code, `The server ${what} for ${timeoutMs} ms`, { details: { timeoutMs } })

/** All of a request took longer than it may. */
export const totalTimeout = (timeoutMs: number): TimeoutError =>
  new TimeoutError('ERR_TOTAL_TIMEOUT', `The request was not over in ${timeoutMs} ms`, { details: { timeoutMs } })
