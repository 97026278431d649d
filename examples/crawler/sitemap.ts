import { Parser } from 'htmlparser2'

/** The protocol's own limits: https://www.sitemaps.org/protocol.html. */
export const MAX_SITEMAP_BYTES = 50 * 1024 * 1024
const MAX_SITEMAP_URLS = 50_000

export interface Sitemap {
  readonly pages: readonly string[]
  readonly sitemaps: readonly string[]
}

/** A sitemap, an index of sitemaps, or a list of URLs, one a line. Never throws: what is malformed ends the reading. */
export function parseSitemap(text: string): Sitemap {
  if (!/^\s*</.test(text))
    return { pages: text.split(/\s+/).filter(isWholeUrl).slice(0, MAX_SITEMAP_URLS), sitemaps: [] }
  const [pages, sitemaps]: [string[], string[]] = [[], []]
  let list: string[] | undefined
  let location: string | undefined
  const parser = new Parser(
    {
      onopentagname(name) {
        const local = name.replace(/^.*:/, '')
        if (local === 'url') list = pages
        else if (local === 'sitemap') list = sitemaps
        // That of an image or a film has a prefix, and is no page.
        else if (name === 'loc' && list !== undefined) location = ''
      },
      ontext(piece) {
        if (location !== undefined) location += piece
      },
      onclosetag(name, isImplied) {
        if (name !== 'loc' || location === undefined) return
        const url = location.trim()
        location = undefined
        // Where a file was cut stands no end, and half a URL.
        if (!isImplied && list !== undefined && isWholeUrl(url) && list.length < MAX_SITEMAP_URLS) list.push(url)
      },
    },
    { xmlMode: true, decodeEntities: true },
  )
  parser.end(text)
  return { pages, sitemaps }
}

const isWholeUrl = (text: string): boolean => /^https?:\/\//i.test(text)
