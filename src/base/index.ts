export type { AbortSignalLike } from './cancellation.js'
export type { Clock } from './clock.js'
export type { Fault } from './code-table.js'
export { CODES, type ErrorCode } from './codes.js'
export {
  BrokenError,
  BusyError,
  ClosedError,
  errorCodeOf,
  LimitError,
  messageOf,
  MoorageError,
  NetError,
  ProtocolError,
  TimeoutError,
  UsageError,
} from './errors.js'
export { silentLogger, type LogFields, type Logger } from './logger.js'
export { nearestName } from './options.js'
