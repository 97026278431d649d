import { Parser } from 'htmlparser2'

export interface PageLinks {
  /** What it links to, as it is written, in its order, each once. */
  readonly links: readonly string[]
  /** What relative links are relative to, where the page says so. */
  readonly base: string | undefined
  /** RFC 6596: the URL by which the page wants to be known. */
  readonly canonical: string | undefined
  /** Where it leads by itself: `<meta http-equiv="refresh">`. */
  readonly refresh: string | undefined
  /** What the page says to robots: `noindex`, `nofollow`, `none`; in lower case. */
  readonly directives: ReadonlySet<string>
}

/** Attributes that lead to a page. */
const LINKING: Readonly<Record<string, string>> = { a: 'href', area: 'href', iframe: 'src', frame: 'src' }
/** Other pages of the same list. */
const LINK_RELATIONS = new Set(['next', 'prev'])

/** The links of a page, but those marked `nofollow`. `maxLinks` bounds what is kept of one page; `product` is who reads. */
export function readLinks(html: string, { maxLinks, product }: { maxLinks: number; product: string }): PageLinks {
  const links = new Set<string>()
  const directives = new Set<string>()
  let base: string | undefined
  let canonical: string | undefined
  let refresh: string | undefined
  const add = (href: string | undefined): void => {
    if (href !== undefined && links.size < maxLinks) links.add(href.trim())
  }
  const parser = new Parser({
    onopentag(name, attributes) {
      const relations = (attributes['rel'] ?? '').toLowerCase().split(/\s+/)
      if (relations.includes('nofollow')) return
      const linking = LINKING[name]
      if (linking !== undefined) add(attributes[linking])
      else if (name === 'base') base ??= attributes['href']
      else if (name === 'link' && relations.includes('canonical')) canonical ??= attributes['href']
      else if (name === 'link' && relations.some((relation) => LINK_RELATIONS.has(relation))) add(attributes['href'])
      else if (name === 'meta') {
        const content = attributes['content'] ?? ''
        const meta = (attributes['name'] ?? '').toLowerCase()
        if (meta === 'robots' || meta === product)
          for (const directive of splitDirectives(content)) directives.add(directive)
        if ((attributes['http-equiv'] ?? '').toLowerCase() === 'refresh')
          refresh ??= /^[\s\d.]*[;,]\s*url\s*=\s*["']?([^"']+)/i.exec(content)?.[1]
      }
    },
  })
  parser.end(html)
  return { links: [...links], base, canonical, refresh, directives }
}

const splitDirectives = (text: string): readonly string[] =>
  text
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim())

/**
 * What `X-Robots-Tag` fields say to this robot: `noindex, nofollow` to all of them, `otherbot: noindex` to one.
 */
export function readRobotsTags(fields: readonly string[], product: string): ReadonlySet<string> {
  const directives = new Set<string>()
  for (const field of fields) {
    let isMeant = true
    for (const directive of splitDirectives(field)) {
      const [, name, told = ''] = /^([a-z_-]+)\s*:\s*(.*)$/.exec(directive) ?? []
      const isAddressed = name !== undefined && /^(noindex|nofollow|none|all)$/.test(told)
      if (isAddressed) isMeant = name === product
      if (isMeant) directives.add(isAddressed ? told : directive)
    }
  }
  return directives
}
