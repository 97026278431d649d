import type { HostAddress } from '../../transport/node/resolve-all.js'
import type { Elapsed } from '../response.js'
import type { CertificateFacts, CertificateProblem } from './certificate.js'

export interface UrlFacts {
  /** Without user and password. */
  readonly url: string
  readonly scheme: string
  readonly host: string
  readonly port: number
  readonly hasCredentials: boolean
}

export interface ProxyFacts {
  /** Without user and password; `undefined` for none. */
  readonly proxy: string | undefined
  readonly source: 'options' | 'environment' | 'none'
  /** Whether it opens a tunnel, or is sent the request itself. */
  readonly mode: 'tunnel' | 'forward' | undefined
}

export interface ResolveFacts {
  readonly host: string
  readonly addresses: readonly HostAddress[]
  /** How many more there are, which are not tried. */
  readonly left: number
}

/** By which way this machine would send to an address. */
export interface Route {
  readonly address: string
  readonly local: string | undefined
  readonly interface: string | undefined
  /** Why there is none. */
  readonly reason: string | undefined
}

export interface RouteFacts {
  readonly routes: readonly Route[]
}

export interface AddressAttempt {
  /** As in `127.0.0.1:80`. */
  readonly address: string
  readonly family: number
  readonly elapsedMs: number
  /** Of this end, where it connected. */
  readonly local: string | undefined
  /** Why it did not. */
  readonly reason: string | undefined
  readonly systemCode: string | undefined
  /** It did not answer in time. */
  readonly isLate: boolean
}

export interface ConnectFacts {
  readonly attempts: readonly AddressAttempt[]
  /** The address that answered first in the order in which they are tried. */
  readonly connected: string | undefined
}

export interface TunnelFacts {
  readonly proxy: string
  readonly target: string
}

export interface TlsFacts {
  /** The name that was asked for. */
  readonly serverName: string
  readonly version: string
  readonly cipher: string
  readonly alpn: string | undefined
  readonly authorized: boolean
  readonly certificate: CertificateFacts
  readonly problems: readonly CertificateProblem[]
}

export interface HttpFacts {
  readonly method: string
  /** Where the redirects ended. */
  readonly url: string
  readonly status: number
  readonly reason: string
  readonly httpVersion: string
  readonly server: string | undefined
  readonly contentType: string | undefined
  readonly contentLength: string | undefined
  readonly contentEncoding: string | undefined
  readonly via: string | undefined
  readonly redirects: readonly { readonly status: number; readonly url: string }[]
  readonly elapsed: Elapsed
}

export interface BodyFacts {
  /** As they were sent. */
  readonly receivedBytes: number
  readonly decodedBytes: number
  /** False where more was to come than is looked at. */
  readonly isWhole: boolean
}

export interface WebSocketFacts {
  readonly status: number
  readonly protocol: string
}

interface Facts {
  readonly url: UrlFacts
  readonly proxy: ProxyFacts
  readonly resolve: ResolveFacts
  readonly route: RouteFacts
  readonly connect: ConnectFacts
  readonly tunnel: TunnelFacts
  readonly tls: TlsFacts
  readonly http: HttpFacts
  readonly body: BodyFacts
  readonly websocket: WebSocketFacts
}

/** In the order in which they are gone. */
export type StepName = keyof Facts
export type StepOutcome = 'ok' | 'warning' | 'failed' | 'skipped'

export interface StepOf<Name extends StepName> {
  readonly name: Name
  readonly outcome: StepOutcome
  readonly elapsedMs: number
  /** One sentence for people. */
  readonly summary: string
  /** What was found out; of a step that failed, what there was until then. */
  readonly facts: Partial<Facts[Name]>
  /** Why it failed: what the same request throws. */
  readonly error: Error | undefined
  /** What can be done about it. */
  readonly suggestion: string | undefined
}

/** One step of a diagnosis. No secret is in any of it. */
export type DiagnosisStep = { readonly [Name in StepName]: StepOf<Name> }[StepName]

/** What a step has found; who runs it adds the rest. */
export interface Finding<Name extends StepName> {
  readonly summary: string
  readonly facts: Partial<Facts[Name]>
  /** Default: `ok`, or `failed` with an error. */
  readonly outcome?: StepOutcome
  readonly error?: unknown
  readonly suggestion?: string | undefined
}

export const STEP_NAMES: readonly StepName[] = [
  'url',
  'proxy',
  'resolve',
  'route',
  'connect',
  'tunnel',
  'tls',
  'http',
  'body',
  'websocket',
]
