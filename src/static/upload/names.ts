import { HttpError } from '../../http/response.js'
import { pathSegments, TEMPORARY_PREFIX, type PathRules } from '../resolve-path.js'

/** File systems take 255 bytes a name. */
const MAX_NAME_BYTES = 255
/** Control characters and those that turn the direction of text: a name with them shows as another. */
const UNSHOWN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u
const ID = /^[\da-f]{32}$/

/** Where a path points: the folders on the way, and the last name, '' for a folder. */
export interface UploadPath {
  readonly folders: readonly string[]
  readonly name: string
}

/** @throws HttpError 403 for a path that leaves the folder or names what is hidden, 400 for one that is malformed. */
export function parseUploadPath(path: string, rules: PathRules): UploadPath {
  const segments = pathSegments(path, rules)
  if (segments === undefined) throw new HttpError(403, 'This is no name that a file may have here')
  const name = segments.at(-1) ?? ''
  if (name !== '') checkName(name, rules)
  return { folders: segments.slice(0, -1), name }
}

/** One name, without folders. @throws HttpError 403. */
export function checkName(name: string, { dotfiles }: Pick<PathRules, 'dotfiles'>): void {
  const isRight =
    name !== '' &&
    !/\p{Cs}/u.test(name) &&
    pathSegments(`/${encodeURIComponent(name)}`, { dotfiles }) !== undefined &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES &&
    !UNSHOWN.test(name) &&
    !/[. ]$/.test(name)
  if (!isRight) throw new HttpError(403, 'This is no name that a file may have here')
}

export const partName = (id: string): string => `${TEMPORARY_PREFIX}${id}.part`
export const stateName = (id: string): string => `${TEMPORARY_PREFIX}${id}.json`
export const lockName = (id: string): string => `${TEMPORARY_PREFIX}${id}.lock`
export const addressName = (id: string): string => `${TEMPORARY_PREFIX}${id}`

/** The folder and the upload that a path names; `undefined` when it names none. */
export function parseUploadAddress(path: string): { readonly folder: string; readonly id: string } | undefined {
  const slash = path.lastIndexOf('/')
  const last = path.slice(slash + 1)
  if (!last.startsWith(TEMPORARY_PREFIX)) return undefined
  const id = last.slice(TEMPORARY_PREFIX.length)
  return ID.test(id) ? { folder: path.slice(0, slash + 1), id } : undefined
}

/** Of which upload a name in a folder is a part. */
export function uploadIdOf(name: string): string | undefined {
  return name.startsWith(TEMPORARY_PREFIX)
    ? name.slice(TEMPORARY_PREFIX.length, TEMPORARY_PREFIX.length + 32)
    : undefined
}
