import { UsageError } from '../base/index.js'
import { parseEndpoint, type Endpoint } from '../transport/index.js'

/** An endpoint for files. @throws UsageError `ERR_ENDPOINT`, `ERR_ENDPOINT_SCHEME` for one that carries no streams. */
export function parseStreamEndpoint(text: string): Endpoint {
  const endpoint = parseEndpoint(text)
  if (['tcp', 'tls', 'unix', 'fd'].includes(endpoint.scheme)) return endpoint
  throw new UsageError(
    'ERR_ENDPOINT_SCHEME',
    `Cannot move files over ${text}: a connection is needed; use tcp:, tls: or unix:`,
    { details: { scheme: endpoint.scheme } },
  )
}
