import { UsageError } from '../base/errors.js'
import { nearestName } from '../base/options.js'
import { formatEndpoint, type Endpoint } from './endpoint.js'
import type { ListenOptions } from './listen-options.js'

type Reader = (text: string) => Partial<ListenOptions> | undefined

const whole =
  (name: keyof ListenOptions, base: number): Reader =>
  (text) =>
    /^[0-9]+$/.test(text) ? { [name]: parseInt(text, base) } : undefined
const flag =
  (name: keyof ListenOptions): Reader =>
  (text) => {
    if (text === '' || text === '1' || text === 'true') return { [name]: true }
    return text === '0' || text === 'false' ? { [name]: false } : undefined
  }

/** What may stand after `?` of a stream endpoint that is listened on; each is the option of the same meaning. */
const PARAMETERS: Readonly<Record<string, { readonly read: Reader; readonly right: string }>> = {
  backlog: { read: whole('backlog', 10), right: 'backlog=1024' },
  reuseport: { read: flag('reusePort'), right: 'reuseport' },
  ipv6only: { read: flag('ipv6Only'), right: 'ipv6only' },
  nodelay: { read: flag('noDelay'), right: 'nodelay=0' },
  mode: { read: whole('mode', 8), right: 'mode=600' },
  proxy: {
    read: (text) => (text === 'require' || text === '' ? { proxyProtocol: 'require' } : undefined),
    right: 'proxy=require',
  },
}

/** Options with those that the endpoint gives in its parameters; the endpoint wins. @throws UsageError `ERR_ENDPOINT`. */
export function applyParameters<O extends ListenOptions>(
  endpoint: Endpoint,
  options: O | undefined,
): O | ListenOptions {
  let merged: ListenOptions = { ...options }
  for (const [name, text] of Object.entries(endpoint.parameters)) {
    if (name === 'alpn') {
      const { tls } = merged
      if (tls !== undefined) merged = { ...merged, tls: { ...tls, alpn: text.split(',') } }
      continue
    }
    const parameter = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined
    const shown = formatEndpoint(endpoint)
    if (parameter === undefined) throw unknownParameter(name, shown)
    const read = parameter.read(text)
    if (read === undefined) {
      throw new UsageError(
        'ERR_ENDPOINT',
        `Cannot use endpoint "${shown}": the parameter "${name}" cannot be "${text}"; a right one is ${parameter.right}`,
      )
    }
    merged = { ...merged, ...read }
  }
  return { ...options, ...merged }
}

/** For a client: it has no use for what concerns listening, and refuses what nobody knows. @throws UsageError `ERR_ENDPOINT`. */
export function checkParameters(endpoint: Endpoint): void {
  for (const name of Object.keys(endpoint.parameters)) {
    if (name !== 'alpn' && !Object.hasOwn(PARAMETERS, name)) throw unknownParameter(name, formatEndpoint(endpoint))
  }
}

function unknownParameter(name: string, shown: string): UsageError {
  const known = [...Object.keys(PARAMETERS), 'alpn']
  const nearest = nearestName(name, known)
  const hint = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean "${nearest}"?`
  return new UsageError('ERR_ENDPOINT', `Cannot use endpoint "${shown}": the parameter "${name}" is unknown, ${hint}`)
}
