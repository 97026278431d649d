import type { Broker } from '../broker.js'
import { newBrokerId } from '../broker-id.js'
import type { BrokerSettings } from '../options.js'
import type { Backend, BackendEvents } from './backend.js'
import { RemoteBroker } from './remote-broker.js'

interface OpeningBackend extends Backend {
  open(): Promise<void>
}

/** A broker over a backend, once that is there. */
export async function openRemote(
  settings: BrokerSettings,
  make: (events: BackendEvents, id: string) => OpeningBackend,
): Promise<Broker> {
  const id = newBrokerId()
  let opened: Promise<void> | undefined
  const broker = new RemoteBroker(
    settings,
    (events) => {
      const backend = make(events, id)
      opened = backend.open()
      return backend
    },
    id,
  )
  await opened
  return broker
}
