import type { AbortSignalLike } from '../base/cancellation.js'
import {
  byteCount,
  count,
  flag,
  milliseconds,
  text,
  value,
  type OptionSpec,
  type OptionSpecs,
} from '../base/options.js'
import type { FileResult, Progress } from './report.js'

export interface SendOptions {
  readonly token?: string | undefined
  readonly checksum?: boolean
  readonly windowBytes?: number
  readonly skip?: ((name: string) => boolean) | undefined
  readonly idleTimeoutMs?: number
  readonly signal?: AbortSignalLike | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly onFile?: ((result: FileResult) => void) | undefined
  readonly progressIntervalMs?: number
}

export interface ReceiveOptions {
  readonly token?: string | undefined
  readonly overwrite?: boolean
  readonly requireChecksum?: boolean
  readonly sync?: boolean
  readonly maxFiles?: number
  readonly maxBytes?: number
  readonly maxFileBytes?: number
  readonly idleTimeoutMs?: number
  readonly signal?: AbortSignalLike | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly onFile?: ((result: FileResult) => void) | undefined
  readonly progressIntervalMs?: number
}

export type SendSettings = Readonly<Required<SendOptions>>
export type ReceiveSettings = Readonly<Required<ReceiveOptions>>

const token = text(
  undefined,
  'A secret that both ends share. Only a proof of it crosses the wire; without TLS the files themselves can be read there.',
)
const idleTimeoutMs = milliseconds(
  60_000,
  'Milliseconds without a byte from the other end, while this one waits for it, after which the connection is destroyed. rsync has no limit, scp relies on TCP, which takes hours.',
)
const signal: OptionSpec<AbortSignalLike | undefined> = value(
  'an AbortSignal',
  undefined,
  'none',
  'Ends the transfer: it rejects with the reason of the signal, and what came is kept for resuming.',
  (given): given is AbortSignalLike => typeof given === 'object' && given !== null && 'aborted' in given,
)
const onProgress: OptionSpec<((progress: Progress) => void) | undefined> = value(
  'a function',
  undefined,
  'none',
  'Called with a Progress, at most every progressIntervalMs.',
  (given): given is (progress: Progress) => void => typeof given === 'function',
)
const onFile: OptionSpec<((result: FileResult) => void) | undefined> = value(
  'a function',
  undefined,
  'none',
  'Called with the FileResult of each file, as soon as it is known.',
  (given): given is (result: FileResult) => void => typeof given === 'function',
)
const progressIntervalMs = milliseconds(200, 'Milliseconds between two calls of onProgress.', { min: 0 })

export const SEND_OPTIONS: OptionSpecs<SendSettings> = {
  token,
  checksum: flag(
    true,
    'Whether the SHA-256 of each whole file is computed at both ends and compared. Without, the checks of TCP or TLS remain; what is resumed is compared all the same.',
  ),
  windowBytes: byteCount(
    Infinity,
    'Bytes that may be on their way unacknowledged: the most that an interruption makes it send twice. It is at most a 512th of the file, but 1 MiB at least and 64 MiB at most, unless this is less.',
    { min: 4096 },
  ),
  skip: value(
    'a function',
    undefined,
    'none',
    'Given the name of a file or folder, says whether to leave it out: what an earlier run of the same program has sent.',
    (given): given is (name: string) => boolean => typeof given === 'function',
  ),
  idleTimeoutMs,
  signal,
  onProgress,
  onFile,
  progressIntervalMs,
}

export const RECEIVE_OPTIONS: OptionSpecs<ReceiveSettings> = {
  token,
  overwrite: flag(
    false,
    'Whether files that are there already, and differ, are replaced; the old one stays whole until the new one is.',
  ),
  requireChecksum: flag(false, 'Whether files without a SHA-256 of the whole are refused.'),
  sync: flag(
    true,
    'Whether each file is flushed to the disk before it gets its name, so that a power cut cannot leave half of it there.',
  ),
  maxFiles: count(100_000, 'Files and folders on one connection. tar and rsync have no limit.'),
  maxBytes: byteCount(Infinity, 'Bytes of all files on one connection. Limited by the disk only, as in scp and rsync.'),
  maxFileBytes: byteCount(Infinity, 'Bytes of one file.'),
  idleTimeoutMs,
  signal,
  onProgress,
  onFile,
  progressIntervalMs,
}
