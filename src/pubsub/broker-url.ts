import { UsageError } from '../base/errors.js'

/** The URL itself is not shown: it can have a password in it. */
export const wrongUrl = (why: string): UsageError => new UsageError('ERR_BROKER_URL', `Cannot open the broker: ${why}`)
