import { byteCount, count, milliseconds, type OptionSpec, type OptionSpecs, value } from '../../base/options.js'

/** How a memory network behaves. With the same seed and the same clock it behaves the same in every run. */
export interface NetworkOptions {
  readonly seed?: number
  readonly latencyMs?: number
  readonly jitterMs?: number
  readonly maxChunkBytes?: number
  readonly bufferBytes?: number
  readonly stallRate?: number
  readonly stallMs?: number
  readonly resetRate?: number
  readonly lossRate?: number
  readonly reorderRate?: number
}

export type NetworkSettings = Readonly<Required<NetworkOptions>>

const rate = (doc: string): OptionSpec<number> =>
  value(
    'a share from 0 to 1',
    0,
    '0',
    doc,
    (given): given is number => typeof given === 'number' && given >= 0 && given <= 1,
  )

export const NETWORK_OPTIONS: OptionSpecs<NetworkSettings> = {
  seed: count(1, 'The seed of all chance; print it with a failure to replay it.', { min: 0, max: 0xffff_ffff }),
  latencyMs: milliseconds(0, 'Milliseconds that bytes and datagrams travel.', { min: 0 }),
  jitterMs: milliseconds(0, 'Milliseconds of random delay on top.', { min: 0 }),
  maxChunkBytes: byteCount(
    Infinity,
    'The largest piece that streams are cut into, each of a random size; Infinity does not cut.',
  ),
  bufferBytes: byteCount(65_536, 'Bytes that a peer that does not read can be sent before the sender has to wait.'),
  stallRate: rate('The share of transmissions that stall for stallMs.'),
  stallMs: milliseconds(1000, 'Milliseconds of a stall.', { min: 0 }),
  resetRate: rate('The share of transmissions at which the connection is reset.'),
  lossRate: rate('The share of datagrams that are lost.'),
  reorderRate: rate('The share of datagrams that are overtaken by the next one.'),
}
