import type { Broker } from '../broker.js'
import { newBrokerId } from '../broker-id.js'
import type { BrokerSettings } from '../options.js'
import { RemoteBroker } from '../remote/remote-broker.js'
import { RedisBackend } from './redis-backend.js'
import { parseRedisUrl } from './redis-url.js'

/** @throws UsageError `ERR_BROKER_URL`, `ERR_BROKER_PACKAGE`, `ERR_BROKER_AUTH`; BrokenError `ERR_BROKER_AWAY`. */
export async function openRedis(url: string, settings: BrokerSettings): Promise<Broker> {
  const address = parseRedisUrl(url)
  const id = newBrokerId()
  let opened: Promise<void> | undefined
  const broker = new RemoteBroker(
    settings,
    (events) => {
      const backend = new RedisBackend(address, settings, events, id)
      opened = backend.open()
      return backend
    },
    id,
  )
  await opened
  return broker
}
