import type { Clock } from '../base/clock.js'
import type { UsageError } from '../base/errors.js'
import { milliseconds, readOptions, value, type OptionSpecs } from '../base/options.js'
import { systemClock } from '../transport/system-clock.js'
import type { FetchFunction } from './fetch-adapter.js'
import { Exchange } from './validator/exchange.js'
import { problem } from './validator/problem.js'
import { requestProblems } from './validator/request-rules.js'
import { responseProblems } from './validator/response-rules.js'

export interface ValidateFetchSettings {
  readonly report: ((problem: UsageError) => void) | undefined
  readonly timeoutMs: number
  readonly idleBodyTimeoutMs: number
  readonly clock: Clock
}
export type ValidateFetchOptions = Partial<ValidateFetchSettings>

const isReport = (given: unknown): given is ValidateFetchSettings['report'] => typeof given === 'function'
const isClock = (given: unknown): given is Clock => typeof given === 'object' && given !== null && 'after' in given

export const VALIDATE_FETCH_OPTIONS: OptionSpecs<ValidateFetchSettings> = {
  report: value<ValidateFetchSettings['report']>(
    'a function',
    undefined,
    'throws',
    'Told of each problem, which goes on as far as it can. Without it a problem is thrown where its maker sees it.',
    isReport,
  ),
  timeoutMs: milliseconds(
    30_000,
    'Milliseconds in which the handler must answer. Heroku’s router waits 30 s, and nginx 60 s.',
  ),
  idleBodyTimeoutMs: milliseconds(
    30_000,
    'Milliseconds in which a body must be asked for more, or be cancelled; as long as a client may take nothing by default.',
  ),
  clock: value<Clock>('a clock', systemClock, "the system's", 'Where time comes from; a FakeClock in tests.', isClock),
}

/**
 * The same handler, watched: what it and its callers do wrong is an error that names the rule and its section. A problem
 * is thrown to the caller, or ends the body where it is found; nothing is left of it in what is right. For tests and for
 * development: it costs a few microseconds a request.
 * @throws UsageError `ERR_OPTION_…`; when called `ERR_FETCH_REQUEST`, `ERR_FETCH_RESPONSE`, `ERR_FETCH_FIELD`,
 *   `ERR_FETCH_BODY`, `ERR_FETCH_TIME`, and `ERR_FETCH_STREAM` where a body is read. `details.rule` has the rule.
 * @example
 * const fetch = validateFetch(app.fetch)
 * assert.equal((await fetch(new Request('http://localhost/'))).status, 200)
 */
export function validateFetch(
  fetch: FetchFunction,
  options?: ValidateFetchOptions,
): (request: Request) => Promise<Response> {
  const settings = readOptions('validateFetch', VALIDATE_FETCH_OPTIONS, options)
  const given = new WeakSet<Response>()
  return async (request) => {
    const tell = settings.report ?? fail
    const candidate: unknown = request
    if (!(candidate instanceof Request)) {
      tell(problem('ERR_FETCH_REQUEST', 'no-request', `Cannot handle ${kindOf(candidate)}: no Request`, 'Fetch §5.4'))
      return fetch(request)
    }
    for (const found of requestProblems(request)) tell(found)
    const exchange = new Exchange(settings)
    try {
      const response = await exchange.inTime(async () => fetch(exchange.request(request)))
      const answer: unknown = response
      if (!(answer instanceof Response)) {
        tell(problem('ERR_FETCH_RESPONSE', 'no-response', `Cannot send ${kindOf(answer)}: no Response`, 'Fetch §5.5'))
        return response
      }
      if (given.has(answer)) tell(problem('ERR_FETCH_RESPONSE', 'response-twice', TWICE, 'Fetch §5.5'))
      given.add(answer)
      for (const found of responseProblems(request, answer)) tell(found)
      return exchange.response(request.method, answer)
    } catch (error) {
      exchange.end()
      throw error
    }
  }
}

const TWICE = 'Cannot send the same response twice: its body can be read once, and its fields may be changed'

function fail(found: UsageError): never {
  throw found
}

function kindOf(given: unknown): string {
  if (given === null) return 'null'
  if (typeof given !== 'object') return `a value of type ${typeof given}`
  return `an object of the class ${given.constructor?.name ?? 'none'}`
}
