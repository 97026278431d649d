import { byteCount, count, flag, type OptionSpecs } from '../base/options.js'

export interface DeflateSettings {
  readonly thresholdBytes: number
  readonly level: number
  readonly contextTakeover: boolean
  readonly peerContextTakeover: boolean
  readonly memoryBudgetBytes: number
}
export type DeflateOptions = Partial<DeflateSettings>

export const DEFLATE_OPTIONS: OptionSpecs<DeflateSettings> = {
  thresholdBytes: byteCount(
    1024,
    'Shorter messages are sent as they are: compressing costs 20 µs and more, whatever the length. ws has 1,024.',
    { min: 0 },
  ),
  level: count(1, 'Of zlib, from 1, fastest, to 9. Levels above 1 cost two to five times as much for a few percent.', {
    min: 1,
    max: 9,
  }),
  contextTakeover: flag(
    true,
    'Whether a message may refer to those before it: up to 32 KiB of them are kept for each peer to which something was sent compressed.',
  ),
  peerContextTakeover: flag(true, 'The same for what the peer sends.'),
  memoryBudgetBytes: byteCount(
    64 * 1024 * 1024,
    'What is kept of messages for all peers together: 32 KiB for each peer whose messages may refer to those before, counted from its handshake. When it is used up, what is sent refers to nothing, and new peers are asked to do the same. There is no other memory of zlib’s between messages; ws keeps a compressor and a decompressor of 300 KiB for each peer.',
  ),
}
