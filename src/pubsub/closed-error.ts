import { ClosedError } from '../base/errors.js'

export const closedError = (): ClosedError =>
  new ClosedError('ERR_BROKER_CLOSED', 'Cannot use the broker: it is closed')
