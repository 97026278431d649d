import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { linkTarget, TEMPORARY_PREFIX, type PathRules } from './resolve-path.js'

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

interface Found {
  readonly name: string
  readonly isFolder: boolean
  readonly isLink: boolean
}

/** Names that are held to be sorted, at most; the others are counted, and found by searching. */
const MAX_HELD = 250_000
/** Entries that are read at once. */
const READ_AT_ONCE = 1024

/** A page of what is in a folder: folders first, then by the key that is asked for. What may not be served is not listed. */
export async function listFolder(rules: PathRules, folder: string, query: ListingQuery): Promise<Listing> {
  const search = query.search.toLowerCase()
  const found: Found[] = []
  let total = 0
  for await (const entry of await opendir(folder, { bufferSize: READ_AT_ONCE })) {
    const { name } = entry
    if ((rules.dotfiles === 'hide' && name.startsWith('.')) || name.startsWith(TEMPORARY_PREFIX)) continue
    if (search !== '' && !name.toLowerCase().includes(search)) continue
    const isLink = entry.isSymbolicLink()
    if (!isLink && !entry.isFile() && !entry.isDirectory()) continue
    total += 1
    if (found.length < MAX_HELD) found.push({ name, isFolder: entry.isDirectory(), isLink })
  }
  const pages = Math.max(1, Math.ceil(found.length / PAGE_ENTRIES))
  const page = Math.min(query.page, pages)
  const onPage = <T>(all: readonly T[]): readonly T[] => all.slice((page - 1) * PAGE_ENTRIES, page * PAGE_ENTRIES)
  const bySize = query.sort !== 'name' && found.length <= MAX_SORTED_BY_STAT
  const sign = query.isDescending ? -1 : 1
  let entries: readonly ListedEntry[]
  if (bySize) {
    const key = query.sort === 'size' ? 'size' : 'mtimeMs'
    const all = await lookUp(rules, folder, found)
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
    entries = await lookUp(rules, folder, onPage(sorted))
  }
  return { query: { ...query, page, sort: bySize ? query.sort : 'name' }, entries, total, pages }
}

const foldersFirst = (a: boolean, b: boolean): number => Number(b) - Number(a)

/** By code units: a listing is the same on every machine, whatever its language. */
const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What is gone meanwhile, may not be looked at, or is a link that is not followed, is left out. */
async function lookUp(rules: PathRules, folder: string, found: readonly Found[]): Promise<ListedEntry[]> {
  const entries: (ListedEntry | undefined)[] = []
  for (let at = 0; at < found.length; at += AT_ONCE)
    entries.push(...(await Promise.all(found.slice(at, at + AT_ONCE).map((each) => look(rules, folder, each)))))
  return entries.filter((entry) => entry !== undefined)
}

async function look(rules: PathRules, folder: string, { name, isLink }: Found): Promise<ListedEntry | undefined> {
  try {
    const path = join(folder, name)
    const target = isLink ? await linkTarget(rules, path) : path
    if (target === undefined) return undefined
    // Not followed any more: what has become a link meanwhile tells nothing of what it leads to.
    const seen = await lstat(target)
    if (!seen.isDirectory() && !seen.isFile()) return undefined
    const isFolder = seen.isDirectory()
    return { name, kind: isFolder ? 'folder' : 'file', size: isFolder ? 0 : seen.size, mtimeMs: seen.mtimeMs }
  } catch {
    return undefined
  }
}
