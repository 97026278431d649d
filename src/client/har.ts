import { hideCredentials } from '../transport/hidden-secrets.js'
import { isCredential } from './auth.js'
import { decodeWhole } from './content-decoding.js'
import type { ClientResponse } from './response.js'

/** HAR 1.2, as far as it is written here: http://www.softwareishard.com/blog/har-12-spec/. */
export interface Har {
  readonly log: {
    readonly version: '1.2'
    readonly creator: { readonly name: string; readonly version: string }
    readonly entries: readonly HarEntry[]
  }
}

export interface HarEntry {
  readonly startedDateTime: string
  readonly time: number
  readonly request: {
    readonly method: string
    readonly url: string
    readonly httpVersion: string
    readonly headers: readonly HarPair[]
    readonly queryString: readonly HarPair[]
    readonly cookies: readonly never[]
    readonly headersSize: number
    readonly bodySize: number
  }
  readonly response: {
    readonly status: number
    readonly statusText: string
    readonly httpVersion: string
    readonly headers: readonly HarPair[]
    readonly cookies: readonly never[]
    readonly content: {
      readonly size: number
      readonly mimeType: string
      /** Decoded; only where bodies are recorded. */
      readonly text?: string
      /** Of `text`, where it is no text. */
      readonly encoding?: 'base64'
    }
    readonly redirectURL: string
    readonly headersSize: number
    readonly bodySize: number
  }
  readonly cache: object
  readonly timings: {
    readonly dns: number
    readonly connect: number
    readonly ssl: number
    readonly send: number
    readonly wait: number
    readonly receive: number
  }
  readonly serverIPAddress?: string
}

interface HarPair {
  readonly name: string
  readonly value: string
}

/** What a session did with one request. */
export interface Recorded {
  readonly response: ClientResponse
  readonly startedAt: Date
  readonly fields: Iterable<readonly [name: string, value: string]>
  readonly bodyBytes: number
}

export interface HarOptions {
  /** Entries that are kept; the oldest go. Default: 10,000. */
  readonly maxEntries?: number
  /** Writes credentials and cookies as they were; without it they are left out. Default: false. */
  readonly withSecrets?: boolean
  /** Bodies of responses up to so many bytes are recorded, once they were read. Default: 0, none of them. */
  readonly maxBodyBytes?: number
}

const isSecret = (name: string): boolean => isCredential(name) || name.toLowerCase() === 'set-cookie'
/** HAR has this for what did not happen. */
const NOT_DONE = -1
const MAX_DECODED_BYTES = 64 * 1024 * 1024

/** What the requests of sessions were and what came, without bodies: give it to a `Session` as `recorder`. */
export class HarRecorder {
  readonly #maxEntries: number
  readonly #withSecrets: boolean
  readonly #maxBodyBytes: number
  readonly #recorded: Recorded[] = []
  readonly #bodies = new WeakMap<Recorded, Uint8Array>()

  constructor({ maxEntries = 10_000, withSecrets = false, maxBodyBytes = 0 }: HarOptions = {}) {
    this.#maxEntries = maxEntries
    this.#withSecrets = withSecrets
    this.#maxBodyBytes = maxBodyBytes
  }

  get count(): number {
    return this.#recorded.length
  }

  record(recorded: Recorded): void {
    this.#recorded.push(recorded)
    if (this.#maxBodyBytes > 0)
      recorded.response.rawBody.keep(this.#maxBodyBytes, (bytes) => this.#bodies.set(recorded, bytes))
    if (this.#recorded.length > this.#maxEntries) this.#recorded.shift()
  }

  /** As it stands now: sizes and times of bodies that are under way are those of this moment. */
  toJSON(): Har {
    const entries = this.#recorded.map((recorded) => this.#entryOf(recorded))
    return { log: { version: '1.2', creator: { name: 'moorage', version: '' }, entries } }
  }

  #entryOf(recorded: Recorded): HarEntry {
    const { response, startedAt, fields, bodyBytes } = recorded
    const { resolveMs, connectMs, tlsMs, firstByteMs, bodyMs, totalMs } = response.elapsed
    const url = new URL(response.url)
    const httpVersion = `HTTP/${response.httpVersion}`
    return {
      startedDateTime: startedAt.toISOString(),
      time: totalMs,
      request: {
        method: response.method,
        url: response.url,
        httpVersion: 'HTTP/1.1',
        headers: this.#pairs(fields),
        queryString: [...url.searchParams].map(([name, value]) => ({ name, value })),
        cookies: [],
        headersSize: NOT_DONE,
        bodySize: bodyBytes,
      },
      response: {
        status: response.status,
        statusText: response.reason,
        httpVersion,
        headers: this.#pairs(response.headers),
        cookies: [],
        content: contentOf(response, this.#bodies.get(recorded)),
        redirectURL: hideCredentials(response.headers.get('location') ?? ''),
        headersSize: NOT_DONE,
        bodySize: response.receivedBytes,
      },
      cache: {},
      timings: {
        dns: resolveMs ?? NOT_DONE,
        connect: connectMs ?? NOT_DONE,
        ssl: tlsMs ?? NOT_DONE,
        send: 0,
        wait: firstByteMs,
        receive: bodyMs ?? 0,
      },
      ...serverOf(response),
    }
  }

  #pairs(fields: Iterable<readonly [name: string, value: string]>): readonly HarPair[] {
    return [...fields].map(([name, value]) => ({
      name,
      value: this.#withSecrets
        ? value
        : isSecret(name)
          ? '…'
          : name.toLowerCase() === 'location'
            ? hideCredentials(value)
            : value,
    }))
  }
}

function contentOf(response: ClientResponse, body: Uint8Array | undefined): HarEntry['response']['content'] {
  const mimeType = response.headers.get('content-type') ?? ''
  if (body === undefined) return { size: response.receivedBytes, mimeType }
  const bytes = decoded(response.headers.get('content-encoding') ?? '', body)
  const text = Buffer.from(bytes).toString('utf8')
  const isText = Buffer.from(text).equals(bytes)
  return {
    size: bytes.length,
    mimeType,
    ...(isText ? { text } : { text: Buffer.from(bytes).toString('base64'), encoding: 'base64' as const }),
  }
}

/** As it was sent, where it cannot be decoded: whoever read it has heard of that. */
function decoded(codings: string, body: Uint8Array): Uint8Array {
  try {
    return decodeWhole(codings, body, { maxBytes: MAX_DECODED_BYTES, maxExpansion: 1000 })
  } catch {
    return body
  }
}

function serverOf({ incoming }: ClientResponse): { readonly serverIPAddress?: string } {
  const remote = incoming.connection?.remote
  return remote?.kind === 'ip' ? { serverIPAddress: remote.host } : {}
}
