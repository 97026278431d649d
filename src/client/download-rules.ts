import { createHash, type Hash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { BrokenError, NetError, ProtocolError, TimeoutError } from '../base/errors.js'
import type { WantedDigest } from './content-digest.js'
import { BodyError } from './errors.js'
import type { ClientResponse } from './response.js'
import type { RequestOptions } from './session-options.js'

export interface DownloadProgress {
  /** Bytes that are in the file, with those of an earlier try. */
  readonly received: number
  /** `undefined` where the server does not say. */
  readonly total: number | undefined
}

/** There is no `timeoutMs` but one that is given here; `bodyTimeoutMs` ends what stands still. */
export interface DownloadOptions extends RequestOptions {
  /** What all of it must come to: `sha-256=<base64>`, `sha-512=<base64>`, or in hexadecimal. Default: what `Repr-Digest` says. */
  readonly digest?: string | undefined
  /** Goes on with what an earlier try left. Default: true. */
  readonly resume?: boolean | undefined
  /** Waits at the end until the disk has it, so that it outlives a loss of power. Default: false, as with browsers and curl. */
  readonly sync?: boolean | undefined
  /**
   * Connections at a time, each for a part of the file, where the server takes ranges and says by what it knows the file; at
   * most 16. It helps where each connection is slow. Default: 1.
   */
  readonly segments?: number | undefined
  /** How often it goes on behind a connection that broke, without a byte in between. Default: 5. */
  readonly attempts?: number | undefined
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
}

export interface DownloadReport {
  readonly path: string
  readonly bytes: number
  /** Of those, bytes that were there from an earlier try. */
  readonly resumed: number
  /** How often it had to go on. */
  readonly breaks: number
  /** Whether a digest was checked. */
  readonly isChecked: boolean
  /** The last of its responses. */
  readonly response: ClientResponse
}

export interface Getter {
  get(url: string | URL, options?: RequestOptions): Promise<ClientResponse>
  head(url: string | URL, options?: RequestOptions): Promise<ClientResponse>
}

/** RFC 9110 §13.1.5: a weak tag does not do; a date does where nothing better is there. */
export function validatorOf({ headers }: ClientResponse): string | undefined {
  const etag = headers.get('etag')
  return etag !== undefined && !etag.startsWith('W/') ? etag : headers.get('last-modified')
}

/** RFC 9110 §15.3.7.3: parts belong together when what they are known by is the same. Who says nothing has kept to `If-Range`. */
export function isSameVersion(response: ClientResponse, validator: string): boolean {
  const { headers } = response
  const told = validator.startsWith('"') ? headers.get('etag') : headers.get('last-modified')
  return told === undefined || told === validator
}

/** What stands for a URL in a file: it can have a password or a token. */
export const urlDigest = (url: string): string => createHash('sha256').update(url).digest('hex')

/** @throws BodyError `ERR_BODY` for what came to something else; `files` are removed then. */
export async function checkDigest(
  { algorithm, digest: wanted }: WantedDigest,
  hash: Hash,
  files: readonly string[],
): Promise<void> {
  const found = hash.digest()
  if (found.equals(wanted)) return
  await Promise.all(files.map((file) => rm(file, { force: true })))
  const details = { algorithm, found: found.toString('hex'), wanted: wanted.toString('hex') }
  throw new BodyError(
    'ERR_BODY',
    `Cannot keep the download: its ${algorithm} is ${details.found}, and should be ${details.wanted}`,
    { details },
  )
}

/** What another connection may mend. */
export const mayGoOn = (error: unknown): boolean =>
  error instanceof BrokenError ||
  (error instanceof NetError && error.code !== 'ERR_BODY_SOURCE') ||
  (error instanceof TimeoutError && error.code !== 'ERR_TOTAL_TIMEOUT') ||
  (error instanceof ProtocolError && error.code === 'ERR_UNEXPECTED_END')
