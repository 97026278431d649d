import { NetError } from '../base/errors.js'
import type { ProxyServer } from '../transport/proxy-server.js'
import { DigestAuth } from './digest.js'

/** Digest with proxies: Basic is sent with each request, and needs no answer. */
export class ProxyAuth {
  readonly #known = new WeakMap<ProxyServer, DigestAuth>()

  /** Whether the request is to be sent again: what the proxy wants is known here, and is answered from now on. */
  answers(proxy: ProxyServer | undefined, challenges: readonly string[]): boolean {
    const credentials = proxy?.credentials
    if (proxy === undefined || credentials === undefined) return false
    let auth = this.#known.get(proxy)
    if (auth === undefined) this.#known.set(proxy, (auth = new DigestAuth(credentials)))
    // Whoever calls it does so once for a request: credentials that are refused are not sent for ever.
    if (auth.receiveChallenges(challenges, undefined) !== 'answer') return false
    const made = auth
    proxy.answerWith((method, target) => made.authorize({ method, target }))
    return true
  }

  /** The same of a tunnel that was refused. */
  answersTunnel(proxy: ProxyServer | undefined, error: unknown): boolean {
    if (!(error instanceof NetError) || error.code !== 'ERR_PROXY_AUTH') return false
    const { authenticate } = error.details
    return typeof authenticate === 'string' && this.answers(proxy, [authenticate])
  }
}
