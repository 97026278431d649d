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
    readonly content: { readonly size: number; readonly mimeType: string }
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
}

const SECRETS = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie'])
/** HAR has this for what did not happen. */
const NOT_DONE = -1

/** What the requests of sessions were and what came, without bodies: give it to a `Session` as `recorder`. */
export class HarRecorder {
  readonly #maxEntries: number
  readonly #withSecrets: boolean
  readonly #recorded: Recorded[] = []

  constructor({ maxEntries = 10_000, withSecrets = false }: HarOptions = {}) {
    this.#maxEntries = maxEntries
    this.#withSecrets = withSecrets
  }

  get count(): number {
    return this.#recorded.length
  }

  record(recorded: Recorded): void {
    this.#recorded.push(recorded)
    if (this.#recorded.length > this.#maxEntries) this.#recorded.shift()
  }

  /** As it stands now: sizes and times of bodies that are under way are those of this moment. */
  toJSON(): Har {
    const entries = this.#recorded.map((recorded) => this.#entryOf(recorded))
    return { log: { version: '1.2', creator: { name: 'moorage', version: '' }, entries } }
  }

  #entryOf({ response, startedAt, fields, bodyBytes }: Recorded): HarEntry {
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
        content: { size: response.receivedBytes, mimeType: response.headers.get('content-type') ?? '' },
        redirectURL: response.headers.get('location') ?? '',
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
      value: this.#withSecrets || !SECRETS.has(name.toLowerCase()) ? value : '…',
    }))
  }
}

function serverOf({ incoming }: ClientResponse): { readonly serverIPAddress?: string } {
  const remote = incoming.connection?.remote
  return remote?.kind === 'ip' ? { serverIPAddress: remote.host } : {}
}
