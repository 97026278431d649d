import type { Address } from '../../transport/address.js'
import type { ConnectionSettings } from '../../transport/connection-options.js'
import type { ProxyHeader } from '../../engine/proxy-protocol/header.js'
import type { TlsInfo, TlsServerOptions } from '../../transport/tls-options.js'
import type { LogFields } from '../../base/logger.js'
import type { HubAnswer, HubRequest } from '../../pubsub/link/messages.js'
import type { DatagramMetricsSnapshot } from '../datagram-metrics.js'
import type { MetricsSnapshot } from '../metrics.js'
import type { DrainReport, Outcome } from '../outcome.js'

/** The plain data that a worker is started with. Everything in it can be cloned. */
export interface WorkerStart {
  readonly handler: string
  readonly kind: 'stream' | 'datagram'
  /** Of handlers that are not of streams: the module that makes such ones of them, and what it is told. */
  readonly adapter: { readonly module: string; readonly settings: unknown } | undefined
  /** From 1. */
  readonly worker: number
  readonly data: unknown
  readonly connection: ConnectionSettings
  /** TLS and PROXY headers are done in the worker, except for bridged connections. */
  readonly tls: TlsServerOptions | undefined
  readonly handshakeTimeoutMs: number
  readonly proxyProtocol: boolean
  readonly trustedProxies: readonly string[]
  /** Of a datagram worker: what it may hold. */
  readonly limits: DatagramLimits | undefined
  readonly local: Address | undefined
  /** Set when the worker accepts by itself. */
  readonly shared: SharedStart | undefined
}

export interface DatagramLimits {
  readonly maxHandlers: number
  readonly maxQueued: number
  readonly maxQueuedBytes: number
}

/** How a worker comes by the port that it shares with the others. */
export interface SharedStart {
  readonly endpoint: string
  /** `descriptor`: listens on that descriptor of this process. `handle`: waits for a message with the handle. */
  readonly by: 'reuse-port' | 'descriptor' | 'handle'
  readonly descriptor: number
  /** Plain options of the server in the worker. */
  readonly options: Readonly<Record<string, unknown>>
}

export type ToWorker =
  | { readonly type: 'start'; readonly start: WorkerStart }
  /** Is there time for one more? Answered by `want` as soon as the worker's loop comes round. */
  | { readonly type: 'offer'; readonly id: number }
  /** The socket comes with the message. */
  | { readonly type: 'stream'; readonly id: number; readonly remote: Address; readonly moved: unknown }
  /** A thread copies the descriptor, which the parent closes when it hears that it is taken. */
  | { readonly type: 'descriptor'; readonly id: number; readonly remote: Address; readonly descriptor: number }
  /** The parent reads and writes the socket; bytes travel as messages. */
  | {
      readonly type: 'bridge'
      readonly id: number
      readonly remote: Address
      readonly local: Address
      readonly tls: TlsInfo | undefined
      readonly proxy: ProxyHeader | undefined
    }
  /** The end that the worker asked for was sent. */
  | { readonly type: 'ended-writing'; readonly id: number }
  | BridgeMessage
  | { readonly type: 'listen'; readonly moved: unknown }
  | { readonly type: 'datagrams'; readonly list: readonly MovedDatagram[] }
  | { readonly type: 'tls'; readonly options: TlsServerOptions }
  /** What the rooms of the parent have for brokers in this worker. */
  | { readonly type: 'pubsub'; readonly batch: readonly HubAnswer[] }
  | { readonly type: 'drain'; readonly graceMs: number; readonly restart: boolean }
  | { readonly type: 'cut'; readonly why: string }

export type FromWorker =
  | { readonly type: 'ready'; readonly endpoint: string | undefined; readonly local: Address | undefined }
  | { readonly type: 'unfit'; readonly code: string; readonly message: string }
  | { readonly type: 'want'; readonly id: number }
  | { readonly type: 'taken'; readonly id: number }
  | BridgeMessage
  | { readonly type: 'ended'; readonly id: number; readonly outcome: Outcome }
  | { readonly type: 'error'; readonly remote: string; readonly error: PlainError }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields: LogFields
    }
  | { readonly type: 'pubsub'; readonly batch: readonly HubRequest[] }
  | { readonly type: 'replies'; readonly list: readonly MovedDatagram[] }
  | { readonly type: 'handled'; readonly count: number; readonly failed: number; readonly dropped: number }
  | { readonly type: 'metrics'; readonly snapshot: MetricsSnapshot }
  | { readonly type: 'datagram-metrics'; readonly snapshot: DatagramMetricsSnapshot }
  | { readonly type: 'drained'; readonly report: DrainReport }

/** One bridged connection's bytes and signs, the same in both directions. */
export type BridgeMessage =
  | { readonly type: 'bytes'; readonly id: number; readonly bytes: Uint8Array }
  /** So many bytes were consumed: as many more may come. */
  | { readonly type: 'credit'; readonly id: number; readonly bytes: number }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'gone'; readonly id: number; readonly error: PlainError | undefined }

export interface MovedDatagram {
  readonly data: Uint8Array
  readonly remote: Address
  readonly truncated: boolean
}

/** An error as it travels between threads and processes: its class is lost, its words and codes are not. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly fault: string | undefined
}

export function toPlainError(error: unknown): PlainError {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), stack: undefined, code: undefined, fault: undefined }
  const { name, message, stack } = error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const fault = 'fault' in error && typeof error.fault === 'string' ? error.fault : undefined
  return { name, message, stack, code, fault }
}

export function fromPlainError(plain: PlainError): Error {
  const { name, message, stack, code, fault } = plain
  const error = new Error(message)
  error.name = name
  return Object.assign(
    error,
    stack === undefined ? {} : { stack },
    code === undefined ? {} : { code },
    fault === undefined ? {} : { fault },
  )
}
