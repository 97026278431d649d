import type { BrokerSettings } from '../options.js'
import { Hub } from './hub.js'
import { Session } from './session.js'

interface Shared {
  readonly hub: Hub
  sessions: number
}

/** The hubs of this process, by name. One that nobody has open lives on until its rooms are forgotten. */
const hubs = new Map<string, Shared>()

/** A session with the hub of that name. Whoever opens it first sets its limits. Call `release` when the session was closed. */
export function openSession(name: string, settings: BrokerSettings): { session: Session; release: () => void } {
  const shared = hubs.get(name) ?? makeShared(name, settings)
  shared.sessions += 1
  return {
    session: new Session(shared.hub, settings),
    release: () => {
      shared.sessions -= 1
      forgetEmpty(name, shared)
    },
  }
}

function makeShared(name: string, settings: BrokerSettings): Shared {
  const hub = new Hub(settings, () => forgetEmpty(name, shared))
  const shared: Shared = { hub, sessions: 0 }
  hubs.set(name, shared)
  return shared
}

function forgetEmpty(name: string, shared: Shared): void {
  if (shared.sessions === 0 && shared.hub.roomCount === 0 && hubs.get(name) === shared) hubs.delete(name)
}
