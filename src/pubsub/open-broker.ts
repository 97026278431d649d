import { UsageError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import type { Broker } from './broker.js'
import { installedLink } from './link/link.js'
import { openSession } from './memory/hubs.js'
import { SessionBroker } from './memory/session-broker.js'
import { checkName } from './names.js'
import { BROKER_OPTIONS, type BrokerOptions } from './options.js'

const KNOWN = 'memory: and memory:<name>'

/**
 * Opens rooms by URL: `memory:` (the default) are those that a server shares with all of its workers, `memory:<name>`
 * others by that name. Who opens a name first in a server sets its limits.
 * @throws UsageError `ERR_BROKER_URL`, `ERR_OPTION_…`; BrokenError `ERR_BROKER_GONE`.
 */
export async function openBroker(url: string = 'memory:', options?: BrokerOptions): Promise<Broker> {
  const settings = readOptions('the broker', BROKER_OPTIONS, options)
  const name = memoryName(url)
  const link = installedLink()
  if (link !== undefined) return link.open(name, settings)
  const { session, release } = openSession(name, settings)
  return new SessionBroker(session, release)
}

/** What stands behind `memory:`. */
function memoryName(url: string): string {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? []
  if (scheme === undefined) throw wrong(`it has no scheme; known are ${KNOWN}`)
  if (scheme !== 'memory') throw wrong(`${JSON.stringify(scheme.slice(0, 64))} is not known; known are ${KNOWN}`)
  if (rest.startsWith('/')) throw wrong(`a name stands right behind the colon: ${KNOWN}`)
  if (rest !== '') checkName('broker', rest)
  return rest
}

/** The URL itself is not shown: it can have a password in it. */
const wrong = (why: string): UsageError => new UsageError('ERR_BROKER_URL', `Cannot open the broker: ${why}`)
