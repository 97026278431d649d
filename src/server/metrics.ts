import type { Outcome } from './outcome.js'

/** Why a connection was refused before its handler. */
export type RefusalReason =
  | 'denied'
  | 'maxConnections'
  | 'maxConnectionsPerAddress'
  | 'acceptRate'
  | 'maxWaiting'
  | 'memoryBudget'
  | 'descriptors'
  | 'closing'

export const REFUSAL_REASONS: readonly RefusalReason[] = [
  'denied',
  'maxConnections',
  'maxConnectionsPerAddress',
  'acceptRate',
  'maxWaiting',
  'memoryBudget',
  'descriptors',
  'closing',
]

const noRefusals = (): Record<RefusalReason, number> => ({
  denied: 0,
  maxConnections: 0,
  maxConnectionsPerAddress: 0,
  acceptRate: 0,
  maxWaiting: 0,
  memoryBudget: 0,
  descriptors: 0,
  closing: 0,
})

/** What a server counts. Every connection that was accepted is in exactly one of `active`, `waiting`, `ended`, `refused`. */
export interface MetricsSnapshot {
  readonly accepted: number
  readonly active: number
  readonly waiting: number
  readonly ended: number
  /** Of those that ended: their handler threw, or their handshake failed. */
  readonly failed: number
  readonly refused: Readonly<Record<RefusalReason, number>>
  readonly refusedTotal: number
  readonly acceptErrors: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly bytesUnsent: number
  readonly workers: number
  readonly workerRestarts: number
  /** How long connections lived: counts by upper bound in seconds. */
  readonly durations: Histogram
}

export interface Histogram {
  readonly bounds: readonly number[]
  /** One more than `bounds`: the last is for all above. */
  readonly counts: readonly number[]
  readonly sum: number
  readonly count: number
}

const DURATION_BOUNDS: readonly number[] = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600]

export class Metrics {
  accepted = 0
  active = 0
  ended = 0
  failed = 0
  acceptErrors = 0
  bytesRead = 0
  bytesWritten = 0
  bytesUnsent = 0
  readonly refused: Record<RefusalReason, number> = noRefusals()
  readonly #durations: number[] = Array.from({ length: DURATION_BOUNDS.length + 1 }, () => 0)
  #durationSum = 0
  #durationCount = 0

  /** One connection is over: it lived for `seconds`. */
  end(outcome: Outcome, seconds: number): void {
    this.active -= 1
    this.ended += 1
    if (outcome.failed) this.failed += 1
    this.bytesRead += outcome.bytesRead
    this.bytesWritten += outcome.bytesWritten
    this.bytesUnsent += outcome.bytesUnsent
    this.#observeDuration(seconds)
  }

  #observeDuration(seconds: number): void {
    let at = 0
    while (at < DURATION_BOUNDS.length && seconds > (DURATION_BOUNDS[at] ?? 0)) at += 1
    this.#durations[at] = (this.#durations[at] ?? 0) + 1
    this.#durationSum += seconds
    this.#durationCount += 1
  }

  get refusedTotal(): number {
    return REFUSAL_REASONS.reduce((sum, reason) => sum + this.refused[reason], 0)
  }

  snapshot(waiting: number, workers: number, workerRestarts: number): MetricsSnapshot {
    const { accepted, active, ended, failed, acceptErrors, bytesRead, bytesWritten, bytesUnsent } = this
    return {
      accepted,
      active,
      waiting,
      ended,
      failed,
      refused: { ...this.refused },
      refusedTotal: this.refusedTotal,
      acceptErrors,
      bytesRead,
      bytesWritten,
      bytesUnsent,
      workers,
      workerRestarts,
      durations: {
        bounds: DURATION_BOUNDS,
        counts: [...this.#durations],
        sum: this.#durationSum,
        count: this.#durationCount,
      },
    }
  }
}

/** The sums over several servers: the workers that accept on one port. */
export function addSnapshots(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const sum = (read: (snapshot: MetricsSnapshot) => number): number =>
    snapshots.reduce((total, snapshot) => total + read(snapshot), 0)
  const refused = noRefusals()
  for (const reason of REFUSAL_REASONS) refused[reason] = sum((snapshot) => snapshot.refused[reason])
  return {
    accepted: sum((snapshot) => snapshot.accepted),
    active: sum((snapshot) => snapshot.active),
    waiting: sum((snapshot) => snapshot.waiting),
    ended: sum((snapshot) => snapshot.ended),
    failed: sum((snapshot) => snapshot.failed),
    refused,
    refusedTotal: sum((snapshot) => snapshot.refusedTotal),
    acceptErrors: sum((snapshot) => snapshot.acceptErrors),
    bytesRead: sum((snapshot) => snapshot.bytesRead),
    bytesWritten: sum((snapshot) => snapshot.bytesWritten),
    bytesUnsent: sum((snapshot) => snapshot.bytesUnsent),
    workers: sum((snapshot) => snapshot.workers),
    workerRestarts: sum((snapshot) => snapshot.workerRestarts),
    durations: {
      bounds: DURATION_BOUNDS,
      counts: Array.from({ length: DURATION_BOUNDS.length + 1 }, (_, i) =>
        sum((snapshot) => snapshot.durations.counts[i] ?? 0),
      ),
      sum: sum((snapshot) => snapshot.durations.sum),
      count: sum((snapshot) => snapshot.durations.count),
    },
  }
}

/** The Prometheus text format, version 0.0.4. `labels` stand on every line. */
export function formatPrometheus(snapshot: MetricsSnapshot, labels: Readonly<Record<string, string>>): string {
  const lines: string[] = []
  const fixed = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  const line = (name: string, value: number, extra: readonly string[] = []): void => {
    const all = [...fixed, ...extra].join(',')
    lines.push(`moorage_${name}${all === '' ? '' : `{${all}}`} ${value}`)
  }
  const family = (name: string, type: 'counter' | 'gauge' | 'histogram', help: string): void => {
    lines.push(`# HELP moorage_${name} ${help}`, `# TYPE moorage_${name} ${type}`)
  }
  const single = (name: string, type: 'counter' | 'gauge', help: string, value: number): void => {
    family(name, type, help)
    line(name, value)
  }
  single('connections_accepted_total', 'counter', 'Connections accepted.', snapshot.accepted)
  single('connections_active', 'gauge', 'Connections with a handler.', snapshot.active)
  single('connections_waiting', 'gauge', 'Connections accepted, unread, without a handler.', snapshot.waiting)
  single('connections_ended_total', 'counter', 'Connections whose handler was run and that are gone.', snapshot.ended)
  single(
    'connections_failed_total',
    'counter',
    'Connections whose handler threw or whose handshake failed.',
    snapshot.failed,
  )
  family('connections_refused_total', 'counter', 'Connections refused before their handler, by reason.')
  for (const reason of REFUSAL_REASONS)
    line('connections_refused_total', snapshot.refused[reason], [`reason="${reason}"`])
  single('accept_errors_total', 'counter', 'Errors of the system while accepting.', snapshot.acceptErrors)
  single('bytes_read_total', 'counter', 'Bytes read from connections that ended.', snapshot.bytesRead)
  single('bytes_written_total', 'counter', 'Bytes written to connections that ended.', snapshot.bytesWritten)
  single('bytes_unsent_total', 'counter', 'Bytes written that the system never took.', snapshot.bytesUnsent)
  single('workers', 'gauge', 'Worker threads or processes.', snapshot.workers)
  single('worker_restarts_total', 'counter', 'Workers that crashed and were replaced.', snapshot.workerRestarts)
  family('connection_duration_seconds', 'histogram', 'How long connections lived.')
  let below = 0
  snapshot.durations.bounds.forEach((bound, i) => {
    below += snapshot.durations.counts[i] ?? 0
    line('connection_duration_seconds_bucket', below, [`le="${bound}"`])
  })
  line('connection_duration_seconds_bucket', snapshot.durations.count, ['le="+Inf"'])
  line('connection_duration_seconds_sum', snapshot.durations.sum)
  line('connection_duration_seconds_count', snapshot.durations.count)
  return `${lines.join('\n')}\n`
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
