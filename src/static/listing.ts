import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TEMPORARY_PREFIX } from './resolve-path.js'

export interface ListedEntry {
  readonly name: string
  readonly kind: 'file' | 'folder'
  readonly size: number
  readonly mtimeMs: number
}

export type SortKey = 'name' | 'size' | 'time'

export interface ListingQuery {
  readonly sort: SortKey
  readonly isDescending: boolean
  /** Part of the names that are wanted, in any case; '' for all. */
  readonly search: string
  /** From 1. */
  readonly page: number
}

export interface Listing {
  readonly query: ListingQuery
  readonly entries: readonly ListedEntry[]
  /** How many have names that are wanted. */
  readonly total: number
  readonly pages: number
}

export const PAGE_ENTRIES = 1000
/** Of a folder with more, sizes and times are looked up only for the page that is shown: it cannot be sorted by them. */
const MAX_SORTED_BY_STAT = 20_000
/** Files that are looked at at once. */
const AT_ONCE = 64

/** What the address of a listing asks for: `?sort=size&order=desc&q=text&page=2`. */
export function listingQuery(query: URLSearchParams): ListingQuery {
  const sort = query.get('sort')
  const page = Number(query.get('page') ?? '1')
  return {
    sort: sort === 'size' || sort === 'time' ? sort : 'name',
    isDescending: query.get('order') === 'desc',
    search: (query.get('q') ?? '').slice(0, 255),
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  }
}

/** A page of what is in a folder: folders first, then by the key that is asked for. */
export async function listFolder(folder: string, query: ListingQuery, hidesDotfiles: boolean): Promise<Listing> {
  const search = query.search.toLowerCase()
  const found: { readonly name: string; readonly isFolder: boolean }[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const { name } = entry
    if ((hidesDotfiles && name.startsWith('.')) || name.startsWith(TEMPORARY_PREFIX)) continue
    if (search !== '' && !name.toLowerCase().includes(search)) continue
    if (entry.isFile() || entry.isDirectory() || entry.isSymbolicLink())
      found.push({ name, isFolder: entry.isDirectory() })
  }
  const pages = Math.max(1, Math.ceil(found.length / PAGE_ENTRIES))
  const page = Math.min(query.page, pages)
  const onPage = <T>(all: readonly T[]): readonly T[] => all.slice((page - 1) * PAGE_ENTRIES, page * PAGE_ENTRIES)
  const bySize = query.sort !== 'name' && found.length <= MAX_SORTED_BY_STAT
  const sign = query.isDescending ? -1 : 1
  let entries: readonly ListedEntry[]
  if (bySize) {
    const key = query.sort === 'size' ? 'size' : 'mtimeMs'
    const all = await lookUp(
      folder,
      found.map(({ name }) => name),
    )
    entries = onPage(
      all.toSorted(
        (a, b) =>
          foldersFirst(a.kind === 'folder', b.kind === 'folder') ||
          sign * (a[key] - b[key]) ||
          compareNames(a.name, b.name),
      ),
    )
  } else {
    const sorted = found.toSorted((a, b) => foldersFirst(a.isFolder, b.isFolder) || sign * compareNames(a.name, b.name))
    entries = await lookUp(
      folder,
      onPage(sorted).map(({ name }) => name),
    )
  }
  return { query: { ...query, page, sort: bySize ? query.sort : 'name' }, entries, total: found.length, pages }
}

const foldersFirst = (a: boolean, b: boolean): number => Number(b) - Number(a)

/** By code units: a listing is the same on every machine, whatever its language. */
const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What is gone meanwhile, or may not be looked at, is left out. */
async function lookUp(folder: string, names: readonly string[]): Promise<ListedEntry[]> {
  const entries: (ListedEntry | undefined)[] = []
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const looks = names.slice(at, at + AT_ONCE).map(async (name): Promise<ListedEntry | undefined> => {
      try {
        const found = await stat(join(folder, name))
        const kind = found.isDirectory() ? 'folder' : found.isFile() ? 'file' : undefined
        return kind === undefined
          ? undefined
          : { name, kind, size: kind === 'file' ? found.size : 0, mtimeMs: found.mtimeMs }
      } catch {
        return undefined
      }
    })
    entries.push(...(await Promise.all(looks)))
  }
  return entries.filter((entry) => entry !== undefined)
}
