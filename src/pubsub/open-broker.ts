import { readOptions } from '../base/options.js'
import type { Broker } from './broker.js'
import { wrongUrl } from './broker-url.js'
import { installedLink } from './link/link.js'
import { openSession } from './memory/hubs.js'
import { SessionBroker } from './memory/session-broker.js'
import { checkName } from './names.js'
import { BROKER_OPTIONS, type BrokerOptions, type BrokerSettings } from './options.js'
import { openNats } from './nats/open-nats.js'
import { openRedis } from './redis/open-redis.js'

const KNOWN = 'memory:, memory:<name>, redis://host, rediss://host, nats://host and tls://host'

/**
 * Opens rooms by URL. `memory:` (the default) are those that a server shares with all of its workers, `memory:<name>`
 * others by that name; who opens a name first in a server sets its limits. `redis://[user:password@]host[:port][/database]`
 * (with TLS `rediss://`) are those of all servers that open the same, with the package `redis`; `?prefix=<name>` keeps
 * several applications apart. `nats://[user:password@]host[:port]` (with TLS `tls://`) is the same at NATS with JetStream,
 * with the packages `@nats-io/transport-node` and `@nats-io/jetstream`.
 * @throws UsageError `ERR_BROKER_URL`, `ERR_BROKER_PACKAGE`, `ERR_BROKER_AUTH`, `ERR_OPTION_…`; BrokenError
 *   `ERR_BROKER_AWAY`, `ERR_BROKER_GONE`.
 */
export async function openBroker(url: string = 'memory:', options?: BrokerOptions): Promise<Broker> {
  const settings = readOptions('the broker', BROKER_OPTIONS, options)
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? []
  switch (scheme?.toLowerCase()) {
    case undefined:
      throw wrongUrl(`it has no scheme; known are ${KNOWN}`)
    case 'memory':
      return openMemory(rest, settings)
    case 'redis':
    case 'rediss':
      return openRedis(url, settings)
    case 'nats':
    case 'tls':
      return openNats(url, settings)
    default:
      throw wrongUrl(`${JSON.stringify(scheme?.slice(0, 64))} is not known; known are ${KNOWN}`)
  }
}

async function openMemory(name: string, settings: BrokerSettings): Promise<Broker> {
  if (name.startsWith('/')) throw wrongUrl(`a name stands right behind the colon: memory:<name>`)
  if (name !== '') checkName('broker', name)
  const link = installedLink()
  if (link !== undefined) return link.open(name, settings)
  const { session, release } = openSession(name, settings)
  return new SessionBroker(session, release)
}
