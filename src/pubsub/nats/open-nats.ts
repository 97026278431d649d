import type { Broker } from '../broker.js'
import type { BrokerSettings } from '../options.js'
import { openRemote } from '../remote/open-remote.js'
import { NatsBackend } from './nats-backend.js'
import { parseNatsUrl } from './nats-url.js'

/** @throws UsageError `ERR_BROKER_URL`, `ERR_BROKER_PACKAGE`, `ERR_BROKER_AUTH`; BrokenError `ERR_BROKER_AWAY`. */
export async function openNats(url: string, settings: BrokerSettings): Promise<Broker> {
  const address = parseNatsUrl(url)
  return openRemote(settings, (events, id) => new NatsBackend(address, settings, events, id))
}
