import { byteCount, count, type OptionSpecs } from '../base/options.js'
import { DATAGRAM_OPTIONS, type DatagramOptions, type DatagramSettings } from '../transport/datagram-options.js'
import { ADMISSION_OPTIONS } from './admission.js'
import type { Model } from './models/model.js'
import { LIFECYCLE_OPTIONS, MODEL_OPTION, type LifecycleOptions, type LifecycleSettings } from './server-options.js'

export interface DatagramQueueOptions {
  readonly maxQueued?: number
  readonly maxQueuedBytes?: number
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

export type DatagramServerSettings = Readonly<Required<DatagramQueueOptions>> &
  DatagramSettings &
  LifecycleSettings & { readonly model: Model }
export type CommonDatagramOptions = DatagramQueueOptions & DatagramOptions & LifecycleOptions

export const DATAGRAM_SERVER_OPTIONS: OptionSpecs<DatagramServerSettings> = {
  ...MODEL_OPTION,
  ...LIFECYCLE_OPTIONS,
  maxQueued: count(
    10_000,
    'Datagrams that wait for a handler, also those that a worker has not handled; more are dropped and counted. The receive buffer of the system comes before that.',
  ),
  maxQueuedBytes: byteCount(16 * 1024 * 1024, 'The same in bytes.'),
  allow: ADMISSION_OPTIONS.allow,
  deny: ADMISSION_OPTIONS.deny,
  ...DATAGRAM_OPTIONS,
}
