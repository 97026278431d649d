import { byteCount, count, flag, milliseconds, type OptionSpecs } from '../../base/options.js'

export interface UploadSettings {
  readonly overwrite: boolean
  readonly maxFileBytes: number
  readonly maxFiles: number
  readonly minFreeBytes: number
  readonly maxPartials: number
  readonly partialAgeMs: number
}
export type UploadOptions = Partial<UploadSettings>

export const UPLOAD_OPTIONS: OptionSpecs<UploadSettings> = {
  overwrite: flag(
    false,
    'Whether a file takes the place of one with its name. Without, the old one stays, and the new one is refused.',
  ),
  maxFileBytes: byteCount(
    4 * 1024 ** 3,
    'The longest file. Apache stops at 1 GiB, which a video passes; what is left free on the disk bounds all of them together.',
  ),
  maxFiles: count(100, 'Files of one form. PHP stops at 20, Django at 100.'),
  minFreeBytes: byteCount(
    256 * 1024 ** 2,
    'What is left free on the disk: a machine whose disk is full does more than refuse files. ext4 keeps 5 % for the administrator.',
    { min: 0 },
  ),
  maxPartials: count(
    100,
    'Uploads of a folder that may be resumed, at the same time; nginx and tus keep any number of them.',
  ),
  partialAgeMs: milliseconds(
    24 * 60 * 60 * 1000,
    'Milliseconds that an upload which was cut is kept for resuming, since the last of it came. tus servers keep them a day.',
  ),
}
