import { constants } from 'node:fs'
import { lstat, open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { HttpError } from '../http/response.js'
import { identityOf, type FileIdentity } from './file-identity.js'

export interface PathRules {
  /** The folder that is served, without links in its own path. */
  readonly root: string
  readonly dotfiles: 'hide' | 'serve'
  readonly symlinks: 'inside' | 'follow' | 'never'
}

/** Seen by everybody by agreement (RFC 8615), so it is not hidden with the others. */
const WELL_KNOWN = '.well-known'
const MAX_SEGMENTS = 128
/** What is being received has such names, and is never served. */
export const TEMPORARY_PREFIX = '.moorage-upload-'

// Windows has neither; the first keeps a pipe or a device from holding the open call.
const { O_RDONLY } = constants
const O_NONBLOCK = (constants as Partial<typeof constants>).O_NONBLOCK ?? 0

/**
 * The names in a path that was asked for, decoded once; `undefined` when no file can have them: `..`, an encoded slash, a
 * backslash, NUL, an empty name in the middle, a hidden one. A path that ends with a slash has '' last.
 * @throws HttpError 400 when it is not encoded as it should be.
 */
export function pathSegments(path: string, { dotfiles }: Pick<PathRules, 'dotfiles'>): string[] | undefined {
  const raw = path.slice(1).split('/')
  if (raw.length > MAX_SEGMENTS) return undefined
  const segments: string[] = []
  for (const [i, part] of raw.entries()) {
    const segment = decode(part)
    const isLast = i === raw.length - 1
    if (segment === '' ? !isLast : !isName(segment)) return undefined
    if (segment.startsWith(TEMPORARY_PREFIX)) return undefined
    if (segment.startsWith('.') && dotfiles === 'hide' && segment !== WELL_KNOWN) return undefined
    segments.push(segment)
  }
  return segments
}

const isName = (segment: string): boolean =>
  segment !== '.' && segment !== '..' && !/[/\\\0]/.test(segment) && !(sep === '\\' && /[:*?"<>|]/.test(segment))

function decode(part: string): string {
  if (!part.includes('%')) return part
  try {
    return decodeURIComponent(part)
  } catch {
    throw new HttpError(400, 'The path is not encoded as it should be')
  }
}

/** Something below the root that is open: nothing else can take its place any more. */
export interface OpenEntry {
  readonly path: string
  readonly kind: 'file' | 'folder'
  readonly file: FileHandle
  /** Where it is, without links; where links may lead anywhere, nobody asks. */
  readonly real: string
  readonly size: number
  readonly mtimeMs: number
  readonly identity: FileIdentity
}

/**
 * Opens what has these names below the root; `undefined` when nothing that may be served has them. What was opened is
 * looked at, not what the path said before: a link that is swapped meanwhile gains nothing.
 */
export async function openEntry(rules: PathRules, segments: readonly string[]): Promise<OpenEntry | undefined> {
  const path = join(rules.root, ...segments)
  try {
    // A pipe or a device is not opened at all: opening can be an action.
    const found = rules.symlinks === 'never' ? await lstat(path) : await stat(path)
    if (!found.isFile() && !found.isDirectory()) return undefined
    const file = await open(path, O_RDONLY | O_NONBLOCK)
    try {
      const entry = await describe(rules, path, file)
      if (entry === undefined) await file.close()
      return entry
    } catch (error) {
      await file.close()
      throw error
    }
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

async function describe(rules: PathRules, path: string, file: FileHandle): Promise<OpenEntry | undefined> {
  const found = await file.stat({ bigint: true })
  if (!found.isFile() && !found.isDirectory()) return undefined
  let real = path
  if (rules.symlinks !== 'follow') {
    real = await realPathOf(file, path)
    if (rules.symlinks === 'never' ? real !== path : !isBelow(rules.root, real)) return undefined
  }
  return {
    path,
    kind: found.isFile() ? 'file' : 'folder',
    file,
    real,
    size: Number(found.size),
    mtimeMs: Number(found.mtimeMs),
    identity: identityOf(found),
  }
}

/** Where an open file is, asked of the system where it tells (Linux), else of the path. */
async function realPathOf(file: FileHandle, path: string): Promise<string> {
  if (process.platform === 'linux') return readlink(`/proc/self/fd/${file.fd}`)
  return realpath(path)
}

/** The way to a folder that is open, which stays the same when its path leads elsewhere meanwhile. */
export const pathOfOpen = ({ file, path }: OpenEntry): string =>
  process.platform === 'linux' ? `/proc/self/fd/${file.fd}` : path

/** Where a link leads, if that may be served; `undefined` otherwise. */
export async function linkTarget(rules: PathRules, path: string): Promise<string | undefined> {
  if (rules.symlinks === 'never') return undefined
  const real = await realpath(path)
  return rules.symlinks === 'follow' || isBelow(rules.root, real) ? real : undefined
}

export const isBelow = (root: string, path: string): boolean =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'EPERM', 'ENXIO', 'ENODEV', 'EINVAL'])

const isAbsence = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && ABSENT.has(error.code)
