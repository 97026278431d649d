import type { ConnectionActivity } from '../transport/stream-connection.js'

/** How one connection went. */
export interface Outcome {
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly bytesUnsent: number
  /** The handler threw, or the handshake failed. */
  readonly failed: boolean
}

/** A connection that a shutdown cut. */
export interface CutConnection {
  readonly remote: string
  readonly activity: ConnectionActivity
  /** Bytes written by its handler that the system never took. */
  readonly bytesUnsent: number
}

/** What `close()` did. */
export interface ShutdownReport {
  /** Milliseconds it took. */
  readonly tookMs: number
  /** Connections that ended by themselves or in order while the server drained. */
  readonly drained: number
  /** Connections that were accepted and waiting, unread: closed at once, for the client to try again. */
  readonly turnedAway: number
  /** Connections that were cut, with what they were doing; at most 1,000 are listed. */
  readonly cut: readonly CutConnection[]
  readonly cutCount: number
  /** Handlers that had not returned when their connection was cut. */
  readonly handlersLeft: number
}

export const MAX_CUT_LISTED = 1000

/** What one thread or process contributes to the report. */
export interface DrainReport {
  /** Given away by the server, and not yet with a worker. Default: 0. */
  readonly turnedAway?: number
  readonly drained: number
  readonly cut: readonly CutConnection[]
  readonly cutCount: number
  readonly handlersLeft: number
}

export function mergeDrainReports(reports: readonly DrainReport[]): DrainReport {
  return {
    drained: reports.reduce((sum, report) => sum + report.drained, 0),
    cut: reports.flatMap((report) => report.cut).slice(0, MAX_CUT_LISTED),
    cutCount: reports.reduce((sum, report) => sum + report.cutCount, 0),
    handlersLeft: reports.reduce((sum, report) => sum + report.handlersLeft, 0),
  }
}
