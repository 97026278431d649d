import { readOptions } from '../../base/options.js'
import { BROKER_OPTIONS, type BrokerOptions } from '../options.js'
import { Hub } from './hub.js'
import { Session } from './session.js'
import { SessionBroker } from './session-broker.js'

/** Rooms that nobody else has: in this thread, until it is closed. `openBroker('memory:')` shares them with others. */
export class MemoryBroker extends SessionBroker {
  /** @throws UsageError `ERR_OPTION_…`. */
  constructor(options?: BrokerOptions) {
    const settings = readOptions('the broker', BROKER_OPTIONS, options)
    const hub = new Hub(settings)
    super(new Session(hub, settings), () => hub.clear())
  }
}
