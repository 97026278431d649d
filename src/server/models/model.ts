import { byteCount, count, milliseconds, oneOf, readOptions, type OptionSpecs } from '../../base/options.js'

/** How connections are spread: a value, given as the option `model`; the handler is the same under each. */
export type Model = ConcurrentModel | SerialModel | ThreadsModel | ProcessesModel

export interface ConcurrentModel {
  readonly kind: 'concurrent'
  readonly settings: ConcurrentSettings
}

export interface SerialModel {
  readonly kind: 'serial'
}

export interface ThreadsModel {
  readonly kind: 'threads'
  readonly settings: ThreadsSettings
}

export interface ProcessesModel {
  readonly kind: 'processes'
  readonly settings: PoolSettings
}

export interface ConcurrentSettings {
  readonly max: number
}

export interface PoolSettings {
  readonly size: number
  readonly accept: 'parent' | 'shared'
  readonly restartDelayMs: number
  readonly maxRestartDelayMs: number
  readonly startTimeoutMs: number
}

export interface ThreadsSettings extends PoolSettings {
  readonly maxHeapBytes: number
}

export const CONCURRENT_OPTIONS: OptionSpecs<ConcurrentSettings> = {
  max: count(
    100_000,
    'Handlers that run at once in the event loop; connections above that wait. asyncio and Go have no bound.',
  ),
}

const POOL_OPTIONS: OptionSpecs<PoolSettings> = {
  size: count(2, 'How many workers. A good number is that of the cores which the load may use.', { max: 1024 }),
  accept: oneOf(
    ['parent', 'shared'],
    'parent',
    "'parent': this thread accepts and hands each connection to the least busy worker, so one that burns CPU gets no new ones. 'shared': every worker accepts on the one port, for the highest rate.",
  ),
  restartDelayMs: milliseconds(
    50,
    'Milliseconds before a worker that crashed is replaced; doubled with each crash in a row.',
  ),
  maxRestartDelayMs: milliseconds(
    10_000,
    'The longest such delay. systemd waits 100 ms and gives up after 5 starts; a server had better go on.',
  ),
  startTimeoutMs: milliseconds(30_000, 'Milliseconds for a worker to load its handler.'),
}

export const PROCESSES_OPTIONS: OptionSpecs<PoolSettings> = POOL_OPTIONS

export const THREADS_OPTIONS: OptionSpecs<ThreadsSettings> = {
  ...POOL_OPTIONS,
  maxHeapBytes: byteCount(
    512 * 1024 * 1024,
    'The JavaScript heap of each thread (`resourceLimits`): one that exceeds it is replaced, the process lives.',
    {
      min: 16 * 1024 * 1024,
    },
  ),
}

/** The event loop, the default: many handlers at once in this thread, as with asyncio. */
export function concurrent(options?: Partial<ConcurrentSettings>): ConcurrentModel {
  return { kind: 'concurrent', settings: readOptions('concurrent', CONCURRENT_OPTIONS, options) }
}

/** One connection after the other, as `socketserver.TCPServer` does it: the next one waits until the handler returns. */
export function serial(): SerialModel {
  return { kind: 'serial' }
}

/** A pool of worker threads. The handler is a module URL: each thread imports it. */
export function threads(options?: Partial<ThreadsSettings>): ThreadsModel {
  return { kind: 'threads', settings: readOptions('threads', THREADS_OPTIONS, options) }
}

/** A pool of processes. The handler is a module URL: each process imports it. */
export function processes(options?: Partial<PoolSettings>): ProcessesModel {
  return { kind: 'processes', settings: readOptions('processes', PROCESSES_OPTIONS, options) }
}

export const isPooled = (model: Model): model is ThreadsModel | ProcessesModel =>
  model.kind === 'threads' || model.kind === 'processes'
