import { BrokenError, LimitError, messageOf, MoorageError, UsageError } from '../../base/errors.js'

/** The package that speaks to a broker is not there. */
export const packageMissing = (shown: string, names: string, cause: unknown): UsageError =>
  new UsageError('ERR_BROKER_PACKAGE', `Cannot open ${shown}: its client is not installed; run: npm install ${names}`, {
    cause,
    details: { packages: names.split(' ') },
  })

/** It does not let us in. */
export const brokerRefuses = (shown: string, cause: unknown): UsageError =>
  new UsageError(
    'ERR_BROKER_AUTH',
    `Cannot use ${shown}: it refuses the user or the password; correct them in the URL (${messageOf(cause)})`,
    { cause },
  )

/** It cannot be reached now. */
export const brokerAway = (shown: string, why: string, cause?: unknown): BrokenError =>
  new BrokenError('ERR_BROKER_AWAY', `Cannot reach ${shown}: ${why}`, cause === undefined ? {} : { cause })

/** It takes nothing more. */
export const brokerFull = (shown: string, cause: unknown): LimitError =>
  new LimitError('ERR_BROKER_FULL', `${shown} takes nothing more: ${messageOf(cause)}`, { cause })

/** Whether what failed can be asked again when the broker is there again: all that it has not itself refused. */
export const isAway = (error: unknown): boolean => !(error instanceof MoorageError) || error.code === 'ERR_BROKER_AWAY'
