import { brokerEndingRows } from './broker-ending-rows.js'
import { brokerLimitRows } from './broker-limit-rows.js'
import { brokerMessageRows } from './broker-message-rows.js'
import { brokerPresenceRows } from './broker-presence-rows.js'
import { brokerCacheRows } from './broker-cache-rows.js'
import { brokerRateRows } from './broker-rate-rows.js'
import type { BrokerContractRow } from './broker-trial.js'

export type { BrokerContractRow, BrokerFactory } from './broker-trial.js'

/** What every broker does, seen from two that have the same rooms. Iterate over the rows in the test runner of your choice. */
export const brokerContract: readonly BrokerContractRow[] = [
  ...brokerMessageRows,
  ...brokerPresenceRows,
  ...brokerEndingRows,
  ...brokerLimitRows,
  ...brokerRateRows,
  ...brokerCacheRows,
]
