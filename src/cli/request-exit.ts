import { LimitError, TimeoutError } from '../base/index.js'
import {
  BodyError,
  ConnectError,
  ProxyError,
  RedirectError,
  ResolveError,
  ResponseError,
  StatusError,
  TlsError,
} from '../client/index.js'

/** What a request that failed exits with, by where it failed; docs/client.md has the list. */
export const REQUEST_EXIT = {
  resolve: 10,
  connect: 11,
  tls: 12,
  proxy: 13,
  timeout: 14,
  response: 15,
  body: 16,
  redirect: 17,
  clientError: 24,
  serverError: 25,
} as const

export const exitOfStatus = (status: number): number =>
  status < 500 ? REQUEST_EXIT.clientError : REQUEST_EXIT.serverError

/** `undefined` for an error that is of no request. */
export function exitOf(error: unknown): number | undefined {
  if (error instanceof ResolveError) return REQUEST_EXIT.resolve
  if (error instanceof ConnectError) return REQUEST_EXIT.connect
  if (error instanceof TlsError) return REQUEST_EXIT.tls
  if (error instanceof ProxyError) return REQUEST_EXIT.proxy
  if (error instanceof TimeoutError) return REQUEST_EXIT.timeout
  if (error instanceof ResponseError) return REQUEST_EXIT.response
  if (error instanceof BodyError) return REQUEST_EXIT.body
  if (error instanceof StatusError) return exitOfStatus(error.response.status)
  if (error instanceof LimitError) {
    const { phase } = error.details
    return phase === 'body' ? REQUEST_EXIT.body : phase === 'response' ? REQUEST_EXIT.response : undefined
  }
  return error instanceof RedirectError ? REQUEST_EXIT.redirect : undefined
}
