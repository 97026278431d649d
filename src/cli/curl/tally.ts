import { ConnectError, ProxyError, ResolveError, TlsError, type ClientResponse } from '../../client/index.js'
import type { CurlUrl } from './curl-url.js'
import { codesOf } from './exit-codes.js'

/** What --write-out tells of one try, counted over all of its requests. */
export class Tally {
  /** Connections that were made. */
  connects = 0
  /** Of all heads, and of data that goes out with them. */
  requestBytes = 0
  /** Of the body of the last request. */
  uploadedBytes = 0
  /** What the proxy answered to the last CONNECT; 0 for none. */
  connectStatus = 0
  /** What OpenSSL thinks of the certificate; 0 where there is nothing wrong. */
  verifyResult = 0
  /** Of the last request. */
  url: CurlUrl | undefined
  referer: string | undefined

  answered({ elapsed, connection }: ClientResponse, isTunnelled: boolean): void {
    if (elapsed.connectMs !== undefined) this.connects += 1
    if (isTunnelled) this.connectStatus = 200
    this.verifyResult = verifyResultOf([connection?.tls?.authorizationError ?? ''])
  }

  failed(error: unknown, isTunnelled: boolean): void {
    if (isTunnelled && error instanceof TlsError) this.connectStatus = 200
    const { status } = error instanceof ProxyError ? error.details : {}
    if (typeof status === 'number') this.connectStatus = status
    this.verifyResult = verifyResultOf(codesOf(error))
    const isConnected = !(error instanceof ResolveError || error instanceof ConnectError)
    if (isConnected && (status !== undefined || !(error instanceof ProxyError))) this.connects += 1
  }
}

/** X509_verify_cert_error_string(3ssl). */
const VERIFY_RESULTS: ReadonlyMap<string, number> = new Map([
  ['UNABLE_TO_GET_ISSUER_CERT', 2],
  ['CERT_SIGNATURE_FAILURE', 7],
  ['CERT_NOT_YET_VALID', 9],
  ['CERT_HAS_EXPIRED', 10],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 18],
  ['SELF_SIGNED_CERT_IN_CHAIN', 19],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 20],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 21],
  ['CERT_CHAIN_TOO_LONG', 22],
  ['CERT_REVOKED', 23],
  ['INVALID_CA', 24],
  ['PATH_LENGTH_EXCEEDED', 25],
  ['INVALID_PURPOSE', 26],
  ['CERT_UNTRUSTED', 27],
  ['CERT_REJECTED', 28],
])

const verifyResultOf = (codes: readonly string[]): number =>
  codes.map((code) => VERIFY_RESULTS.get(code)).find((number) => number !== undefined) ?? 0
