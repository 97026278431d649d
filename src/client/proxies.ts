import { ProxyServer, type ProxyOptions } from '../transport/proxy-server.js'
import { proxyFor } from './environment.js'
import type { ProxyChoice } from './session-options.js'
import type { Target } from './target.js'

const MAX_KNOWN = 64

/** Which proxy a request goes by. */
export class ProxyRules {
  readonly #environment: Readonly<Record<string, string | undefined>>
  /** Whether the environment names any: asked once, as `process.env` is slow. */
  readonly #hasEnvironment: boolean
  readonly #known = new Map<string, ProxyServer>()
  /** One server for the same options: what it asked for is known with the next request. */
  readonly #byOptions = new WeakMap<ProxyOptions, ProxyServer>()

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment
    this.#hasEnvironment = Object.keys(environment).some((name) => /^(?:https?|all)_proxy$/i.test(name))
  }

  /** None for a Unix socket, whatever is chosen. @throws UsageError `ERR_PROXY_URL`. */
  of(choice: ProxyChoice | undefined, target: Target): ProxyServer | undefined {
    if (target.endpoint.scheme !== 'tcp') return undefined
    if (choice === undefined)
      return this.#hasEnvironment ? this.#made(proxyFor(new URL(target.href), this.#environment)) : undefined
    if (choice === false) return undefined
    if (typeof choice === 'function') {
      const chosen = choice(new URL(target.href))
      return chosen instanceof ProxyServer ? chosen : this.#made(chosen === false ? undefined : chosen)
    }
    if (typeof choice === 'string') return this.#made(choice)
    if (choice instanceof ProxyServer) return choice
    let server = this.#byOptions.get(choice)
    if (server === undefined) this.#byOptions.set(choice, (server = new ProxyServer(choice)))
    return server
  }

  #made(url: string | undefined): ProxyServer | undefined {
    if (url === undefined) return undefined
    let server = this.#known.get(url)
    if (server === undefined) {
      server = new ProxyServer({ url })
      if (this.#known.size >= MAX_KNOWN) this.#known.clear()
      this.#known.set(url, server)
    }
    return server
  }
}
