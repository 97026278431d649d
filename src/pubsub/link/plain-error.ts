import type { BusyCode, ClosedCode, LimitCode, UsageCode } from '../../base/codes.js'
import {
  BrokenError,
  BusyError,
  ClosedError,
  LimitError,
  messageOf,
  UsageError,
  type MoorageError,
} from '../../base/errors.js'

interface Plain<Kind extends string, Code> {
  readonly kind: Kind
  readonly code: Code
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** What a hub refuses with, on its way to a worker: the class comes back there. */
export type PlainHubError =
  | Plain<'usage', UsageCode>
  | Plain<'limit', LimitCode>
  | Plain<'busy', BusyCode>
  | Plain<'closed', ClosedCode>
  | { readonly kind: 'other'; readonly message: string }

export function toPlainHubError(error: unknown): PlainHubError {
  const message = messageOf(error)
  if (error instanceof UsageError) return { kind: 'usage', code: error.code, message, details: error.details }
  if (error instanceof LimitError) return { kind: 'limit', code: error.code, message, details: error.details }
  if (error instanceof BusyError) return { kind: 'busy', code: error.code, message, details: error.details }
  if (error instanceof ClosedError) return { kind: 'closed', code: error.code, message, details: error.details }
  return { kind: 'other', message }
}

export function fromPlainHubError(error: PlainHubError): MoorageError {
  const { kind, message } = error
  switch (kind) {
    case 'usage':
      return new UsageError(error.code, message, { details: error.details })
    case 'limit':
      return new LimitError(error.code, message, { details: error.details })
    case 'busy':
      return new BusyError(error.code, message, { details: error.details })
    case 'closed':
      return new ClosedError(error.code, message, { details: error.details })
    case 'other':
      return new BrokenError('ERR_BROKER_GONE', `The server of this worker failed: ${message}`)
  }
}
