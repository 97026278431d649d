import { LimitError } from '../../base/errors.js'
import { byteCount, type OptionSpec } from '../../base/options.js'

export const maxFrameBytes: OptionSpec<number> = byteCount(
  1_048_576,
  'The longest frame, in bytes, without prefix or delimiter. Twisted takes 99,999 by default, NATS 1 MiB ' +
    '(1,048,576), gRPC 4 MiB: the middle one, because a frame is held whole in memory for each connection.',
)

/** The largest length that can be worked with: `Infinity` as a limit still ends where whole numbers are no longer exact. */
export function largestLength(limit: number): number {
  return Math.min(limit, Number.MAX_SAFE_INTEGER)
}

export function frameTooLong(limit: number, announced: string): LimitError {
  return new LimitError(
    'ERR_FRAME_LIMIT',
    `Cannot read frame: ${announced} are announced, and ${limit} bytes are the limit`,
    { details: { limit } },
  )
}
