import { openBroker, type Broker } from 'moorage/pubsub'

let opened: Promise<Broker> | undefined

/** The rooms of the chat, opened once in each worker; `data` of the server can name the URL: `{ broker: 'memory:' }`. */
export function openChat(data: unknown): Promise<Broker> {
  opened ??= openBroker(urlIn(data))
  return opened
}

function urlIn(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('broker' in data)) return undefined
  return typeof data.broker === 'string' ? data.broker : undefined
}
