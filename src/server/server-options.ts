import { silentLogger, type Logger } from '../base/logger.js'
import { milliseconds, value, type OptionSpecs } from '../base/options.js'
import { CONNECTION_OPTIONS, type ConnectionOptions, type ConnectionSettings } from '../transport/connection-options.js'
import { LISTEN_OPTIONS, type ListenOptions, type ListenSettings } from '../transport/listen-options.js'
import { ADMISSION_OPTIONS, type AdmissionOptions, type AdmissionSettings } from './admission.js'
import { concurrent, type ConcurrentModel, type Model, type SerialModel } from './models/model.js'

export interface LifecycleOptions {
  readonly graceMs?: number
  readonly serviceIntervalMs?: number
  readonly logger?: Logger
  readonly data?: unknown
}

export type LifecycleSettings = Readonly<Required<LifecycleOptions>>

const isLogger = (given: unknown): given is Logger =>
  typeof given === 'object' && given !== null && ['debug', 'info', 'warn', 'error'].every((level) => level in given)
const isModel = (given: unknown): given is Model => typeof given === 'object' && given !== null && 'kind' in given

export const LIFECYCLE_OPTIONS: OptionSpecs<LifecycleSettings> = {
  graceMs: milliseconds(
    10_000,
    'Milliseconds that close() gives connections to end before it cuts them. Kubernetes kills after 30 s, systemd after 90 s.',
    { min: 0 },
  ),
  serviceIntervalMs: milliseconds(
    500,
    'Milliseconds between two calls of serviceActions(), where it is overridden. Python’s poll interval is 500 ms too.',
  ),
  logger: value('a Logger', silentLogger, 'silent', 'Where the server logs to.', isLogger),
  data: value<unknown>(
    'any value',
    undefined,
    'none',
    'A value for handlers, as server.data: cloned for threads and processes.',
    (_given): _given is unknown => true,
  ),
}

export const MODEL_OPTION: OptionSpecs<{ readonly model: Model }> = {
  model: value<Model>(
    'a model: concurrent(), serial(), threads() or processes()',
    concurrent(),
    'concurrent()',
    'How connections are spread over the event loop, threads or processes.',
    isModel,
  ),
}

export type StreamServerSettings = ListenSettings &
  ConnectionSettings &
  AdmissionSettings &
  LifecycleSettings & { readonly model: Model }

export const STREAM_SERVER_OPTIONS: OptionSpecs<StreamServerSettings> = {
  ...MODEL_OPTION,
  ...LIFECYCLE_OPTIONS,
  ...ADMISSION_OPTIONS,
  ...LISTEN_OPTIONS,
  ...CONNECTION_OPTIONS,
}

/** Options of a server without its model, which decides what the handler may be. */
export type CommonServerOptions = ListenOptions & ConnectionOptions & AdmissionOptions & LifecycleOptions

/** For handlers that are functions or classes: they run in this thread. */
export interface LocalModelOption {
  readonly model?: ConcurrentModel | SerialModel
}

/** For handlers that are module URLs: they can run anywhere. */
export interface AnyModelOption {
  readonly model?: Model
}
