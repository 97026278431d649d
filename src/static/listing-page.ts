import { PAGE_ENTRIES, type ListedEntry, type Listing, type ListingQuery, type SortKey } from './listing.js'

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '')

const STYLE = `:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 15%,transparent);--soft:color-mix(in srgb,currentColor 60%,transparent)}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem 1rem}
h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere;margin:0 0 1rem}
form{display:flex;gap:.5rem;margin:0 0 1rem}
input{flex:1;min-width:0}
input,button{font:inherit;padding:.375rem .625rem;border:1px solid var(--line);border-radius:.375rem;background:transparent;color:inherit}
table{width:100%;border-collapse:collapse}
tr{border-bottom:1px solid var(--line)}
th,td{text-align:left;padding:.375rem .5rem;vertical-align:top}
th{font-weight:500}
th a{color:inherit}
td:first-child{overflow-wrap:anywhere}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--soft)}
a{text-decoration:none}
a:hover,a:focus-visible{text-decoration:underline}
p{color:var(--soft)}
#uploads{list-style:none;padding:0;margin:0}
#uploads li{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:0 0 .5rem}
#uploads span{flex:1 1 10rem;overflow-wrap:anywhere}
#uploads output{min-width:4em;font-variant-numeric:tabular-nums;color:var(--soft)}
@media(max-width:32rem){.t{display:none}}`

/** The beginning of each page here. */
export const pageHead = (title: string): string =>
  `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width,initial-scale=1">\n<title>${escapeHtml(title)}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<main>\n`

/** A page that needs no script: each column sorts by a link, the search is a form. `uploadForm` stands above the list. */
export function listingPage(path: string, listing: Listing, isRoot: boolean, uploadForm: string = ''): string {
  const { entries, query, total, pages } = listing
  const title = `Files in ${path}`
  const parts = [
    `${pageHead(title)}<h1>${crumbs(path)}</h1>\n`,
    `<form role="search"><input type="search" name="q" aria-label="Part of a name" placeholder="Search" value="${escapeHtml(query.search)}"${query.search === '' ? '' : ' autofocus'}><button>Search</button></form>\n`,
    uploadForm,
    `<table>\n<thead><tr>${column('Name', 'name', query, '')}${column('Size', 'size', query, 'n')}${column('Changed', 'time', query, 'n t')}</tr></thead>\n<tbody>\n`,
    isRoot ? '' : '<tr><td><a href="../">..</a></td><td class="n"></td><td class="n t"></td></tr>\n',
    ...entries.map(row),
    '</tbody>\n</table>\n',
    pages > 1 ? pager(query, pages) : '',
    `<p>${summary(total, query)}</p>\n</main>\n</body>\n</html>\n`,
  ]
  return parts.join('')
}

function row({ name, kind, size, mtimeMs }: ListedEntry): string {
  const slash = kind === 'folder' ? '/' : ''
  const changed = new Date(mtimeMs).toISOString()
  return `<tr><td><a href="./${encodeURIComponent(name)}${slash}">${escapeHtml(name)}${slash}</a></td><td class="n">${kind === 'file' ? formatSize(size) : ''}</td><td class="n t"><time datetime="${changed}">${changed.slice(0, 16).replace('T', ' ')}</time></td></tr>\n`
}

/** Where each name of the path leads. */
function crumbs(path: string): string {
  const names = path.split('/').filter((name) => name !== '')
  const links = names.map(
    (name, i) => `<a href="${'../'.repeat(names.length - 1 - i) || './'}">${escapeHtml(name)}</a>/`,
  )
  return `<a href="${'../'.repeat(names.length) || './'}" aria-label="The top folder">/</a>${links.join('')}`
}

function column(label: string, key: SortKey, query: ListingQuery, kind: string): string {
  const isSorted = query.sort === key
  const turns = isSorted && !query.isDescending
  const order = isSorted ? (query.isDescending ? 'descending' : 'ascending') : 'none'
  const mark = isSorted ? (query.isDescending ? ' ↓' : ' ↑') : ''
  const address = addressOf({ ...query, sort: key, isDescending: turns, page: 1 })
  return `<th scope="col"${kind === '' ? '' : ` class="${kind}"`} aria-sort="${order}"><a href="${address}">${label}${mark}</a></th>`
}

function pager(query: ListingQuery, pages: number): string {
  const { page } = query
  const link = (to: number, label: string): string =>
    to < 1 || to > pages ? label : `<a href="${addressOf({ ...query, page: to })}">${label}</a>`
  return `<p>${link(page - 1, '← before')} · page ${page} of ${pages} · ${link(page + 1, 'next →')}</p>\n`
}

function addressOf({ sort, isDescending, search, page }: ListingQuery): string {
  const query = new URLSearchParams()
  if (sort !== 'name') query.set('sort', sort)
  if (isDescending) query.set('order', 'desc')
  if (search !== '') query.set('q', search)
  if (page > 1) query.set('page', String(page))
  const text = query.toString()
  return text === '' ? './' : escapeHtml(`?${text}`)
}

function summary(total: number, { search, page }: ListingQuery): string {
  const what = total === 1 ? '1 entry' : `${total.toLocaleString('en')} entries`
  const which = search === '' ? '' : ` with “${escapeHtml(search)}” in their names`
  const from = (page - 1) * PAGE_ENTRIES + 1
  return total > PAGE_ENTRIES ? `${what}${which}, from the ${from.toLocaleString('en')}th` : `${what}${which}`
}

/** `1.4 MiB`, with what people say on the page and the exact count nowhere needed. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes / 1024
  let unit = 0
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ''}`
}

/** The same, for programs. */
export function listingJson(path: string, { entries, total, pages, query }: Listing): unknown {
  return {
    path,
    total,
    page: query.page,
    pages,
    entries: entries.map(({ name, kind, size, mtimeMs }) => ({
      name,
      type: kind === 'folder' ? 'directory' : 'file',
      ...(kind === 'file' ? { size } : {}),
      modified: new Date(mtimeMs).toISOString(),
    })),
  }
}

/** The same, a name a line, for shells. */
export const listingText = ({ entries }: Listing): string =>
  entries.map(({ name, kind }) => `${name.replaceAll(/[\n\r]/g, '?')}${kind === 'folder' ? '/' : ''}\n`).join('')
