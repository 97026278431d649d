import { byteCount, flag, oneOf, value, type OptionSpecs } from '../base/options.js'
import type { UploadOptions } from './upload/options.js'

export interface FilesSettings {
  readonly index: readonly string[]
  readonly listing: boolean
  readonly dotfiles: 'hide' | 'serve'
  readonly symlinks: 'inside' | 'follow' | 'never'
  readonly spa: string | false
  readonly precompressed: boolean
  readonly cacheControl: string
  readonly maxCachedBytes: number
  readonly maxCachedFileBytes: number
  readonly upload: boolean | UploadOptions
}
export type FilesOptions = Partial<FilesSettings>

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
  precompressed: flag(true, 'Whether name.br, name.zst or name.gz is sent for name to clients that take it.'),
  cacheControl: value<string>(
    'the value of the field',
    'no-cache',
    'no-cache',
    'Cache-Control of files: to ask each time, with validators that make the answer short, surprises nobody.',
    isText,
  ),
  maxCachedBytes: byteCount(
    32 * 1024 * 1024,
    'Small files that are held in memory, all together. Each is looked at before it is sent: one that has changed is read again.',
    { min: 0 },
  ),
  maxCachedFileBytes: byteCount(128 * 1024, 'The largest file that is held in memory.', { min: 0 }),
  upload: value<boolean | UploadOptions>(
    'true, false, or an object with upload options',
    false,
    'false',
    'Whether files may be sent here: by PUT, by a form of the listing, and resumable. Whoever can connect can then fill the disk: think of withBasicAuth.',
    isUpload,
  ),
}
