import type { Connection } from '../transport/connection.js'
import type { Address } from '../transport/address.js'
import type { Datagram } from '../transport/datagram-socket.js'
import type { FrameOptions, LengthPrefix, LineOptions } from '../transport/framed.js'
import type { Logger } from '../base/logger.js'
import { UsageError } from '../base/errors.js'
import type { StreamConnection } from '../transport/stream-connection.js'

/** What a handler can know of the server it runs in, in whichever thread or process that is. */
export interface ServerContext {
  /** Aborts when the server begins to shut down: finish what you do, begin nothing new. */
  readonly draining: AbortSignal
  readonly logger: Logger
  /** The value of the option `data`: cloned for worker threads and processes. */
  readonly data: unknown
  /** 0 in the thread that serves; the number of the worker, from 1, in a worker. */
  readonly worker: number
}

/**
 * Handles one stream connection: a fresh instance for each. Override `handle`; `setup` runs before it and `finish`
 * after it, always and exactly once, also when one of the two threw. When all three are done the connection is closed
 * gracefully, or at once if it failed.
 */
export abstract class StreamHandler {
  /** Tells handler classes from functions, also across copies of this package. */
  static readonly handlerKind: string = 'stream'
  readonly connection: Connection
  readonly server: ServerContext

  constructor(connection: Connection, server: ServerContext) {
    this.connection = connection
    this.server = server
  }

  setup(): void | Promise<void> {}
  abstract handle(): void | Promise<void>
  finish(): void | Promise<void> {}

  get remote(): Address {
    return this.connection.remote
  }

  get local(): Address {
    return this.connection.local
  }

  /** Aborts when the connection is gone. */
  get signal(): AbortSignal {
    return this.connection.signal
  }

  read(): Promise<Uint8Array | null> {
    return this.connection.read()
  }

  write(data: Uint8Array | string): Promise<void> {
    return this.connection.write(data)
  }

  /** Lines with their ending, one by one; `{ keepEnd: false }` strips it. */
  lines(options?: LineOptions): AsyncIterableIterator<string> {
    return this.connection.lines(options)
  }

  readLine(options?: LineOptions): Promise<string | null> {
    return this.connection.readLine(options)
  }

  readExactly(count: number): Promise<Uint8Array> {
    return this.connection.readExactly(count)
  }

  readUntil(delimiter: Uint8Array | string, options?: FrameOptions): Promise<Uint8Array> {
    return this.connection.readUntil(delimiter, options)
  }

  frames(prefix: LengthPrefix, options?: FrameOptions): AsyncIterableIterator<Uint8Array> {
    return this.connection.frames(prefix, options)
  }
}

/** A datagram that can be answered. */
export interface IncomingDatagram extends Datagram {
  readonly local: Address
  /** Sends one datagram back to where this one came from. */
  reply(data: Uint8Array | string): Promise<void>
}

/** Handles one datagram: a fresh instance for each. Datagrams of one peer are handled in the order they came. */
export abstract class DatagramHandler {
  /** Tells handler classes from functions, also across copies of this package. */
  static readonly handlerKind: string = 'datagram'
  readonly datagram: IncomingDatagram
  readonly server: ServerContext

  constructor(datagram: IncomingDatagram, server: ServerContext) {
    this.datagram = datagram
    this.server = server
  }

  setup(): void | Promise<void> {}
  abstract handle(): void | Promise<void>
  finish(): void | Promise<void> {}

  get data(): Uint8Array {
    return this.datagram.data
  }

  get remote(): Address {
    return this.datagram.remote
  }

  reply(data: Uint8Array | string): Promise<void> {
    return this.datagram.reply(data)
  }
}

export type StreamHandlerClass = new (connection: Connection, server: ServerContext) => StreamHandler
export type StreamFunction = (connection: Connection, server: ServerContext) => void | Promise<void>
export type DatagramHandlerClass = new (datagram: IncomingDatagram, server: ServerContext) => DatagramHandler
export type DatagramFunction = (datagram: IncomingDatagram, server: ServerContext) => void | Promise<void>

export type StreamHandlerSource = StreamHandlerClass | StreamFunction
export type DatagramHandlerSource = DatagramHandlerClass | DatagramFunction

/** `'stream'`, `'datagram'`, `'function'`, or `undefined` for what is no handler. */
export function kindOfHandler(source: unknown): 'stream' | 'datagram' | 'function' | undefined {
  if (typeof source !== 'function') return undefined
  if (!('handlerKind' in source)) return 'function'
  return source.handlerKind === 'datagram' ? 'datagram' : 'stream'
}

export const isStreamHandlerClass = (source: StreamHandlerSource): source is StreamHandlerClass =>
  kindOfHandler(source) === 'stream'
export const isDatagramHandlerClass = (source: DatagramHandlerSource): source is DatagramHandlerClass =>
  kindOfHandler(source) === 'datagram'

const isStreamHandler = (source: unknown): source is StreamHandlerSource => isHandlerOf(source, 'stream')
const isDatagramHandler = (source: unknown): source is DatagramHandlerSource => isHandlerOf(source, 'datagram')

function isHandlerOf(source: unknown, wanted: 'stream' | 'datagram'): boolean {
  const kind = kindOfHandler(source)
  return kind === wanted || kind === 'function'
}

/** @throws UsageError `ERR_HANDLER`. */
export function checkStreamHandler(source: unknown): StreamHandlerSource {
  if (isStreamHandler(source)) return source
  throw wrongHandler(source, 'StreamHandler')
}

/** @throws UsageError `ERR_HANDLER`. */
export function checkDatagramHandler(source: unknown): DatagramHandlerSource {
  if (isDatagramHandler(source)) return source
  throw wrongHandler(source, 'DatagramHandler')
}

function wrongHandler(source: unknown, base: string): UsageError {
  const kind = kindOfHandler(source)
  const got =
    kind === undefined
      ? `a value of type ${typeof source}`
      : `a subclass of ${kind === 'stream' ? 'StreamHandler' : 'DatagramHandler'}`
  return new UsageError(
    'ERR_HANDLER',
    `Cannot use the handler: expected an async function or a subclass of ${base}, got ${got}`,
  )
}

/** One function for whatever a stream handler is. */
export function toStreamFunction(source: StreamHandlerSource): RunnableHandler {
  return isStreamHandlerClass(source) ? (connection, server) => runHandler(new source(connection, server)) : source
}

/** Told once, when what runs over a connection is over, and with what went wrong if anything did. */
export interface HandlerEnd {
  over(failure?: { readonly error: unknown }): void
}

/** Returned in place of a promise: `end.over` will be called. A promise that waits, and who waits for it, hold half a kilobyte. */
export const LATER: unique symbol = Symbol('later')

/** What runs over each connection. `report` tells of an error that does not end it: one request of many, say. */
export type RunnableHandler = (
  connection: StreamConnection,
  server: ServerContext,
  report: (error: unknown, connection: StreamConnection) => void,
  end: HandlerEnd,
) => void | Promise<void> | typeof LATER

/**
 * Makes what runs over connections out of handlers of another kind: HTTP's. Its module exports it as `adapter`, so that
 * workers can load it too, and its settings can be cloned.
 */
export interface HandlerAdapter {
  readonly module: string
  readonly settings: unknown
  /** @throws UsageError `ERR_HANDLER` for what is no handler of its kind. */
  adapt(source: unknown, settings: unknown): RunnableHandler
}

export const streamAdapter: HandlerAdapter = {
  module: '',
  settings: undefined,
  adapt: (source) => toStreamFunction(checkStreamHandler(source)),
}

export function toDatagramFunction(source: DatagramHandlerSource): DatagramFunction {
  return isDatagramHandlerClass(source) ? (datagram, server) => runHandler(new source(datagram, server)) : source
}

async function runHandler(handler: StreamHandler | DatagramHandler): Promise<void> {
  try {
    await handler.setup()
    await handler.handle()
  } finally {
    await handler.finish()
  }
}
