import type { Fields } from '../engine/http/fields.js'
import { parseEndpoint } from '../transport/endpoint.js'
import type { Target } from './target.js'

/** Another place where a server is found. */
export interface Alternative {
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
}

interface Noted extends Alternative {
  readonly until: number
}

/** The freshness of RFC 7838 §3.1, where none is given, and the most that is believed. */
const DEFAULT_AGE_SECONDS = 86_400
const MAX_AGE_SECONDS = 30 * 86_400
const MAX_ENTRIES = 1000
/** Those that can be spoken here. */
const PROTOCOLS: ReadonlySet<string> = new Set(['h2', 'http%2F1.1'])

/**
 * RFC 7838: places that servers name in `Alt-Svc`. Give it to a `Session` as `altSvc`: requests to an `https:` origin then go
 * to the place that it named, which must have the certificate of the origin; one that cannot be reached is forgotten.
 * HTTP/3 is not spoken, and passed over.
 */
export class AltSvcStore {
  readonly #noted = new Map<string, Noted>()

  get size(): number {
    return this.#noted.size
  }

  /** What an origin said: the first place that can be used; `clear` forgets what it said before. `now` in milliseconds. */
  note(origin: string, value: string, now: number): void {
    const { hostname, port } = new URL(origin)
    this.#noted.delete(origin)
    if (value.trim() === 'clear') return
    for (const part of value.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)) {
      const [, protocol = '', host = '', digits = '', params = ''] =
        /^\s*([^\s=]+)="((?:\[[^\]"]*\]|[^:"])*):(\d{1,5})"\s*(.*)$/.exec(part) ?? []
      const at = Number(digits)
      if (!PROTOCOLS.has(protocol) || at < 1 || at > 65_535) continue
      const age = Number(/;\s*ma\s*=\s*"?(\d{1,10})"?/i.exec(params)?.[1] ?? DEFAULT_AGE_SECONDS)
      const place = { host: host === '' ? hostname : host, port: at }
      const isItself = place.host === hostname && at === Number(port === '' ? 443 : port)
      if (isItself || age === 0) return
      const [oldest] = this.#noted.keys()
      if (this.#noted.size >= MAX_ENTRIES && oldest !== undefined) this.#noted.delete(oldest)
      const until = now + Math.min(age, MAX_AGE_SECONDS) * 1000
      this.#noted.set(origin, { host: place.host.replace(/^\[(.*)\]$/, '$1'), port: at, until })
      return
    }
  }

  find(origin: string, now: number): Alternative | undefined {
    const noted = this.#noted.get(origin)
    if (noted === undefined || noted.until > now) return noted
    this.#noted.delete(origin)
    return undefined
  }

  forget(origin: string): void {
    this.#noted.delete(origin)
  }
}

export const formatPlace = ({ host, port }: Alternative): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** The same server, with the same certificate, somewhere else: its connections are no others'. */
export const atPlace = (target: Target, place: Alternative): Target => ({
  ...target,
  origin: `${target.origin} at ${formatPlace(place)}`,
  endpoint: parseEndpoint(`tcp://${formatPlace(place)}`),
})

export function noteAltSvc(store: AltSvcStore, origin: string, fields: Fields): void {
  const value = fields.get('alt-svc')
  if (value !== undefined) store.note(origin, value, Date.now())
}
