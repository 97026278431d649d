import type { Fault } from './code-table.js'
import {
  CODES,
  type BrokenCode,
  type BusyCode,
  type ClosedCode,
  type ErrorCode,
  type LimitCode,
  type NetCode,
  type ProtocolCode,
  type TimeoutCode,
  type UsageCode,
} from './codes.js'

export interface ErrorExtras {
  /** The error that this one translates. */
  readonly cause?: unknown
  /** Overrides the fault that the code table gives. */
  readonly fault?: Fault
  /** Facts for programs: limits, sizes, addresses. No secrets. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * What every error of the package has: a stable `code` (docs/ERRORS.md), who is at `fault`, and `details` for programs.
 * Messages are for people and may change; never match them.
 */
export abstract class MoorageError extends Error {
  readonly code: ErrorCode
  readonly fault: Fault
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message, 'cause' in extras ? { cause: extras.cause } : undefined)
    this.code = code
    this.fault = extras.fault ?? CODES[code].fault
    this.details = extras.details ?? {}
  }

  override get name(): string {
    return this.constructor.name
  }
}

/** The program that calls is wrong: an option, an endpoint, a handler, an order of calls. */
export class UsageError extends MoorageError {
  declare readonly code: UsageCode
  constructor(code: UsageCode, message: string, extras?: ErrorExtras) {
    super(code, message, extras)
  }
}

/** The system or the network refused: resolve, connect, listen, handshake. */
export class NetError extends MoorageError {
  declare readonly code: NetCode
  constructor(code: NetCode, message: string, extras?: ErrorExtras) {
    super(code, message, extras)
  }
}

/** The peer sent what its protocol does not allow. */
export class ProtocolError extends MoorageError {
  declare readonly code: ProtocolCode
  constructor(code: ProtocolCode, message: string, extras?: ErrorExtras) {
    super(code, message, extras)
  }
}

/** A limit in bytes or in counts was passed. `details.limit` says which value. */
export class LimitError extends MoorageError {
  declare readonly code: LimitCode
  constructor(code: LimitCode, message: string, extras?: ErrorExtras) {
    super(code, message, extras)
  }
}

/** Something did not finish in its time. `details.timeoutMs` says which. */
export class TimeoutError extends MoorageError {
  declare readonly code: TimeoutCode
  constructor(code: TimeoutCode, message: string, extras?: ErrorExtras) {
    super(code, message, extras)
  }
}

/** This side closed the thing that is used. */
export class ClosedError extends MoorageError {
  declare readonly code: ClosedCode
  constructor(code: ClosedCode, message: string, extras?: ErrorExtras) {
    super(code, message, extras)
  }
}

/** The other side broke the connection. */
export class BrokenError extends MoorageError {
  declare readonly code: BrokenCode
  constructor(code: BrokenCode, message: string, extras?: ErrorExtras) {
    super(code, message, extras)
  }
}

/** Two uses of one thing that only takes one at a time. */
export class BusyError extends MoorageError {
  declare readonly code: BusyCode
  constructor(code: BusyCode, message: string, extras?: ErrorExtras) {
    super(code, message, extras)
  }
}

/** The code of an error, Node's or ours, where it has one. */
export function errorCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
