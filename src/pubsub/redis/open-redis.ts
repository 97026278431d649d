import type { Broker } from '../broker.js'
import type { BrokerSettings } from '../options.js'
import { openRemote } from '../remote/open-remote.js'
import { RedisBackend } from './redis-backend.js'
import { parseRedisUrl } from './redis-url.js'

/** @throws UsageError `ERR_BROKER_URL`, `ERR_BROKER_PACKAGE`, `ERR_BROKER_AUTH`; BrokenError `ERR_BROKER_AWAY`. */
export async function openRedis(url: string, settings: BrokerSettings): Promise<Broker> {
  const address = parseRedisUrl(url)
  return openRemote(settings, (events, id) => new RedisBackend(address, settings, events, id))
}
