import { byteCount, count, flag, oneOf, value, type OptionSpecs } from '../base/options.js'
import type { UploadOptions } from './upload/options.js'

export interface FilesSettings {
  readonly index: readonly string[]
  readonly listing: boolean
  readonly dotfiles: 'hide' | 'serve'
  readonly symlinks: 'inside' | 'follow' | 'never'
  readonly spa: string | false
  readonly pretty: boolean
  readonly precompressed: boolean
  readonly compress: boolean
  readonly minCompressedFileBytes: number
  readonly maxCompressedFileBytes: number
  readonly maxCompressedBytes: number
  readonly maxCompressedFiles: number
  readonly cacheControl: string
  readonly maxCachedBytes: number
  readonly maxCachedFiles: number
  readonly maxCachedFileBytes: number
  readonly upload: boolean | UploadOptions
}
export type FilesOptions = Partial<FilesSettings>

const KIB = 1024
const MIB = 1024 * KIB

const isNames = (given: unknown): given is readonly string[] =>
  Array.isArray(given) && given.every((name) => typeof name === 'string' && name !== '' && !name.includes('/'))
const isPage = (given: unknown): given is string | false =>
  given === false || (typeof given === 'string' && given !== '')
const isUpload = (given: unknown): given is boolean | UploadOptions =>
  typeof given === 'boolean' || (typeof given === 'object' && given !== null && !Array.isArray(given))
const isText = (given: unknown): given is string => typeof given === 'string'

export const FILES_OPTIONS: OptionSpecs<FilesSettings> = {
  index: value<readonly string[]>(
    'a list of file names',
    ['index.html'],
    "['index.html']",
    'What a folder is answered with, the first that is there.',
    isNames,
  ),
  listing: flag(true, 'Whether a folder without such a file is answered with what is in it; else it is 404.'),
  dotfiles: oneOf(
    ['hide', 'serve'],
    'hide',
    "'hide': names that begin with a dot are not there, but for .well-known (RFC 8615). They hold keys and histories.",
  ),
  symlinks: oneOf(
    ['inside', 'follow', 'never'],
    'inside',
    "'inside': links are followed when what they lead to is below the folder. Python follows all of them.",
  ),
  spa: value<string | false>(
    'the name of a page, or false',
    false,
    'false',
    'The page for addresses that have no file, where a browser asks for a page: of an application that has routes of its own. What is missing of its parts stays 404.',
    isPage,
  ),
  pretty: flag(
    false,
    'Whether /about is answered with about.html, and /about.html sent there; /index.html is sent to its folder. A folder of the name comes first.',
  ),
  precompressed: flag(
    true,
    'Whether name.br, name.zst or name.gz is sent for name to clients that take it. Off with upload, unless it is asked for: whoever may put name.gz there would replace name.',
  ),
  compress: flag(
    false,
    'Whether files of types that become smaller are compressed for clients that take it, when no twin is there: br, zstd where the runtime has it, or gzip. What is compressed has a weak tag and no ranges.',
  ),
  minCompressedFileBytes: byteCount(
    KIB,
    'The smallest file that is compressed: below, it fits into a packet as it is. Express takes 1 KiB, nginx 20 bytes.',
    { min: 0 },
  ),
  maxCompressedFileBytes: byteCount(
    4 * MIB,
    'The largest file that is compressed on the way: it is read whole. Larger ones are worth a twin.',
    { min: 0 },
  ),
  maxCompressedBytes: byteCount(
    32 * MIB,
    'What was compressed is held for the next clients, up to this in all; 0 compresses each time.',
    { min: 0 },
  ),
  maxCompressedFiles: count(4096, 'How many compressed forms of files are held.', { min: 0 }),
  cacheControl: value<string>(
    'the value of the field',
    'no-cache',
    'no-cache',
    'Cache-Control of files: to ask each time, with validators that make the answer short, surprises nobody.',
    isText,
  ),
  maxCachedBytes: byteCount(
    32 * MIB,
    'Small files that are held in memory, all together; 0 for none. Each is looked at before it is sent: one that has changed is read again.',
    { min: 0 },
  ),
  maxCachedFiles: count(4096, 'How many files are held in memory.', { min: 0 }),
  maxCachedFileBytes: byteCount(128 * KIB, 'The largest file that is held in memory.', { min: 0 }),
  upload: value<boolean | UploadOptions>(
    'true, false, or an object with upload options',
    false,
    'false',
    'Whether files may be sent here: by PUT, by a form of the listing, and resumable. Whoever can connect can then fill the disk: think of withBasicAuth.',
    isUpload,
  ),
}
