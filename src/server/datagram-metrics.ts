/** What a datagram server counts. Each one received is in exactly one of `active`, `queued`, `handled`, `refused`, `dropped`. */
export interface DatagramMetricsSnapshot {
  readonly received: number
  readonly receivedBytes: number
  /** Received longer than `maxDatagramBytes`, and cut. */
  readonly truncated: number
  readonly active: number
  readonly queued: number
  readonly handled: number
  /** Of those handled: their handler threw. */
  readonly failed: number
  /** By `verifyRequest`, `allow` or `deny`. */
  readonly refused: number
  /** For want of room in the queue. */
  readonly dropped: number
  readonly sent: number
  readonly sentBytes: number
  /** Replies that the system refused or the send queue had no room for. */
  readonly sendDropped: number
  readonly workers: number
  readonly workerRestarts: number
}

const NAMES = [
  'received',
  'receivedBytes',
  'truncated',
  'active',
  'queued',
  'handled',
  'failed',
  'refused',
  'dropped',
  'sent',
  'sentBytes',
  'sendDropped',
  'workers',
  'workerRestarts',
] as const

export function addDatagramSnapshots(snapshots: readonly DatagramMetricsSnapshot[]): DatagramMetricsSnapshot {
  const sum = (name: keyof DatagramMetricsSnapshot): number =>
    snapshots.reduce((total, snapshot) => total + snapshot[name], 0)
  return {
    received: sum('received'),
    receivedBytes: sum('receivedBytes'),
    truncated: sum('truncated'),
    active: sum('active'),
    queued: sum('queued'),
    handled: sum('handled'),
    failed: sum('failed'),
    refused: sum('refused'),
    dropped: sum('dropped'),
    sent: sum('sent'),
    sentBytes: sum('sentBytes'),
    sendDropped: sum('sendDropped'),
    workers: sum('workers'),
    workerRestarts: sum('workerRestarts'),
  }
}

const GAUGES: readonly string[] = ['active', 'queued', 'workers']

/** The Prometheus text format, version 0.0.4. */
export function formatDatagramPrometheus(snapshot: DatagramMetricsSnapshot, endpoint: string): string {
  const lines = NAMES.flatMap((name) => {
    const isGauge = GAUGES.includes(name)
    const metric = `moorage_datagrams_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}${isGauge ? '' : '_total'}`
    return [
      `# TYPE ${metric} ${isGauge ? 'gauge' : 'counter'}`,
      `${metric}{endpoint=${JSON.stringify(endpoint)}} ${snapshot[name]}`,
    ]
  })
  return `${lines.join('\n')}\n`
}
