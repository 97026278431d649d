export {
  BrokenError,
  BusyError,
  ClosedError,
  CODES,
  LimitError,
  MoorageError,
  NetError,
  ProtocolError,
  TimeoutError,
  UsageError,
  type AbortSignalLike,
  type Clock,
  type ErrorCode,
  type Fault,
  type LogFields,
  type Logger,
} from './base/index.js'
export * from './server/index.js'
export * from './transport/index.js'
