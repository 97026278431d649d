import type { BigIntStats } from 'node:fs'
import { lstat, opendir, realpath, stat } from 'node:fs/promises'

/** A file or folder to send, at a path of this machine, with the name the receiver gets. */
export interface SendSource {
  readonly path: string
  /** With `/` between folders. Default: the last part of the path. */
  readonly name?: string
}

export interface SourceEntry {
  /** `other`: links, sockets, devices; they are not sent. */
  readonly kind: 'file' | 'folder' | 'other'
  readonly path: string
  readonly name: string
  readonly size: number
  readonly mode: number
  readonly mtimeNs: bigint
}

/** How deep folders are followed; the receiver refuses deeper names. */
const MAX_DEPTH = 130

/** Files and folders below a path, and itself, one by one: a folder comes after what is in it. */
export async function* walkSource(source: string | SendSource): AsyncGenerator<SourceEntry, void, undefined> {
  const { path, name } = typeof source === 'string' ? { path: source } : source
  // A link that is named itself is meant; links inside a folder are not followed.
  yield* walk(path, name ?? (await lastPart(path)), await stat(path, { bigint: true }), 0)
}

async function* walk(
  path: string,
  name: string,
  stats: BigIntStats,
  depth: number,
): AsyncGenerator<SourceEntry, void, undefined> {
  if (stats.isDirectory() && depth < MAX_DEPTH) {
    for await (const { name: child } of await opendir(path)) {
      const childPath = `${path}/${child}`
      yield* walk(childPath, `${name}/${child}`, await lstat(childPath, { bigint: true }), depth + 1)
    }
  }
  yield entryOf(path, name, stats)
}

export function entryOf(path: string, name: string, stats: BigIntStats): SourceEntry {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other'
  return {
    kind,
    path,
    name,
    size: kind === 'file' ? Number(stats.size) : 0,
    mode: Number(stats.mode) & 0o777,
    mtimeNs: stats.mtimeNs,
  }
}

async function lastPart(path: string): Promise<string> {
  const plain = partsOf(path).at(-1) ?? ''
  if (plain !== '' && plain !== '.' && plain !== '..') return plain
  return partsOf(await realpath(path)).at(-1) ?? 'files'
}

function partsOf(path: string): string[] {
  return path.split(process.platform === 'win32' ? /[\\/]/ : '/').filter((part) => part !== '')
}
