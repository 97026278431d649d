import { endingRows } from './connection-ending-rows.js'
import { exchangeRows } from './connection-exchange-rows.js'
import { framingRows } from './connection-framing-rows.js'
import type { ConnectionContractRow } from './connection-pair.js'
import { readingRows } from './connection-reading-rows.js'
import { tlsRows } from './connection-tls-rows.js'

export type { ConnectionContractRow, ConnectionFactory, ConnectionPair } from './connection-pair.js'

/** What every stream connection does, whatever carries it. Iterate over the rows in the test runner of your choice. */
export const connectionContract: readonly ConnectionContractRow[] = [
  ...exchangeRows,
  ...readingRows,
  ...framingRows,
  ...endingRows,
  ...tlsRows,
]
