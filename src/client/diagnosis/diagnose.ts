import { linkSignals, throwIfAborted } from '../../base/cancellation.js'
import { MoorageError, TimeoutError } from '../../base/errors.js'
import { readOptions } from '../../base/options.js'
import { systemClock } from '../../transport/system-clock.js'
import { explain } from '../errors.js'
import type { Session } from '../session.js'
import { ask, readBody, sessionOf } from './ask.js'
import { orPortOfTls } from './other-protocol.js'
import { DIAGNOSE_OPTIONS, type DiagnoseOptions, type DiagnoseSettings } from './options.js'
import { chooseProxy, connectEach, openTunnel, resolve, route } from './reach.js'
import { secure } from './secure.js'
import { STEP_NAMES, type DiagnosisStep, type Finding, type StepName, type StepOf } from './steps.js'
import { parseWanted, Trail } from './trail.js'
import { openWebSocket } from './websocket.js'

/**
 * Walks the way of a request, one step behind the other, and tells of each as it is done: the URL, the proxy, names and
 * their addresses, the route, TCP by every address, the tunnel, TLS with its certificate, the request over its redirects, the
 * body, the WebSocket. Behind a step that failed the others are `skipped`; its `error` is what the same request throws.
 * It connects several times, sends one request without a body, and holds to the limits of its options. For `http:`,
 * `https:`, `http+unix:`, `ws:` and `wss:` URLs.
 * @throws UsageError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_VALUE`; the signal's reason. What is wrong with the URL is a step.
 * @example
 * for await (const { name, outcome, summary, suggestion } of diagnose('https://example.org/'))
 *   console.log(outcome, name, summary, suggestion ?? '')
 */
export function diagnose(url: string | URL, options?: DiagnoseOptions): AsyncIterableIterator<DiagnosisStep> {
  return walk(String(url), readOptions('diagnose', DIAGNOSE_OPTIONS, options))
}

async function* walk(url: string, settings: DiagnoseSettings): AsyncGenerator<DiagnosisStep, void, undefined> {
  const { timeoutMs } = settings
  const reason = (): TimeoutError =>
    new TimeoutError('ERR_TOTAL_TIMEOUT', `The request was not over in ${timeoutMs} ms`, { details: { timeoutMs } })
  const signal = linkSignals([settings.signal], { clock: systemClock, timeoutMs, reason })
  const walker = new Walker(url, new Trail(settings, signal))
  try {
    for (const name of STEP_NAMES) yield await walker.step(name)
  } finally {
    signal.unlink()
    walker.destroy()
  }
}

const STEPS_OF_HTTP: ReadonlySet<StepName> = new Set(['http', 'body'])
/** What is between this side and the first machine on the way. */
const STEPS_TO_PROXY: ReadonlySet<StepName> = new Set(['resolve', 'route', 'connect'])

class Walker {
  readonly #url: string
  readonly #trail: Trail
  #session: Session | undefined
  #hasFailed = false

  constructor(url: string, trail: Trail) {
    this.#url = url
    this.#trail = trail
  }

  destroy(): void {
    this.#session?.destroy()
  }

  step(name: StepName): Promise<DiagnosisStep> {
    const trail = this.#trail
    switch (name) {
      case 'url':
        return this.#tell(name, () => this.#read())
      case 'proxy':
        return this.#tell(name, () => chooseProxy(trail))
      case 'resolve':
        return this.#tell(name, () => resolve(trail))
      case 'route':
        return this.#tell(name, () => route(trail))
      case 'connect':
        return this.#tell(name, () => connectEach(trail))
      case 'tunnel':
        return this.#tell(name, () => openTunnel(trail))
      case 'tls':
        return this.#tell(name, () => secure(trail))
      case 'http':
        return this.#tell(name, () => orPortOfTls(trail, () => ask(trail, this.#begun(), this.#url)))
      case 'body':
        return this.#tell(name, () => readBody(trail))
      case 'websocket':
        return this.#tell(name, () => orPortOfTls(trail, () => openWebSocket(trail)))
    }
  }

  #begun(): Session {
    return (this.#session = sessionOf(this.#trail))
  }

  async #tell<Name extends StepName>(
    name: Name,
    take: () => Finding<Name> | Promise<Finding<Name>>,
  ): Promise<StepOf<Name>> {
    const since = systemClock.now()
    const finding = await this.#find(name, take)
    const { facts, error } = finding
    const outcome = finding.outcome ?? (error === undefined ? 'ok' : 'failed')
    if (outcome === 'failed') this.#hasFailed = true
    const told = error === undefined ? undefined : this.#explained(error, name)
    const suggestion = suggestionOf(told)
    return {
      name,
      outcome,
      elapsedMs: systemClock.now() - since,
      summary: suggestion === undefined ? finding.summary : finding.summary.replace(`; ${suggestion}`, ''),
      facts,
      error: told instanceof Error ? told : undefined,
      suggestion: finding.suggestion ?? suggestion,
    }
  }

  async #find<Name extends StepName>(
    name: Name,
    take: () => Finding<Name> | Promise<Finding<Name>>,
  ): Promise<Finding<Name>> {
    const { signal, settings, isWebSocket } = this.#trail
    if (this.#hasFailed) return { outcome: 'skipped', summary: 'a step before it failed', facts: {} }
    if (STEPS_OF_HTTP.has(name) && isWebSocket)
      return { outcome: 'skipped', summary: 'the handshake of the WebSocket is the request', facts: {} }
    try {
      throwIfAborted(signal)
      return await take()
    } catch (error) {
      if (settings.signal?.aborted === true || !(error instanceof MoorageError)) throw error
      return { summary: error.message, facts: {}, error }
    }
  }

  #read(): Finding<'url'> {
    const trail = this.#trail
    trail.wanted = parseWanted(this.#url)
    const { href, hostname, port, user, password, endpoint } = trail.target
    const scheme = href.slice(0, href.indexOf(':'))
    const hasCredentials = user !== undefined || password !== undefined
    const facts = { url: href, scheme, host: hostname, port, hasCredentials }
    const where = endpoint.scheme === 'unix' ? `the socket ${endpoint.path}` : `${hostname}, port ${port}`
    return { summary: `${href} is at ${where}`, facts }
  }

  /** With what was asked for, as a request says it; a URL that is none has said it already. */
  #explained(error: unknown, name: StepName): unknown {
    const trail = this.#trail
    return name === 'url' || name === 'proxy'
      ? error
      : explain(error, trail.facts(STEPS_TO_PROXY.has(name) && trail.proxy !== undefined))
  }
}

function suggestionOf(error: unknown): string | undefined {
  if (!(error instanceof MoorageError)) return undefined
  const { suggestion } = error.details
  if (typeof suggestion === 'string') return suggestion
  return error.code === 'ERR_URL' || error.code === 'ERR_PROXY_URL' ? 'correct what the message names' : undefined
}
