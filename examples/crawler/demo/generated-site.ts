import { gzipSync } from 'node:zlib'
import { html, HttpError, HttpResponse, redirect, text, type HttpRequest } from 'moorage/http'
import { chance } from './chance.js'
import { answerTrap, TRAPS } from './traps.js'

const SECTIONS = ['harbours', 'ropes', 'knots', 'anchors', 'sails', 'tides', 'charts', 'winds', 'lights', 'hulls']
const WORDS =
  'oak pine reef cleat mast keel bow stern deck buoy quay pier swell drift haul hitch bend sheet spar gaff'.split(' ')
/** Each page links to so many below it. */
const BRANCHES = 8
const OTHERS = 4
const SITEMAP_URLS = 1000
/** One page of so many is another one with each revision of the site. */
const CHANGING = 10
const LINES = 12

export interface GeneratedSiteOptions {
  readonly pages: number
  readonly seed: number
  /** Where its traps begin. Default: all of them. */
  readonly traps?: readonly string[]
  /** What robots.txt asks for. Default: nothing. */
  readonly crawlDelay?: number
}

/**
 * A site of any size that follows from a seed: a tree of pages with links across, of which some are only in sitemaps, some in
 * several places, some redirect, some do not want to be kept or fetched; and traps.
 */
export class GeneratedSite {
  readonly #options: GeneratedSiteOptions
  readonly #paths = new Map<number, string>()
  /** What changes about it in time. */
  revision = 0

  constructor(options: GeneratedSiteOptions) {
    this.#options = options
  }

  /** Of the page with this number; the first is the start. */
  pathOf(number: number): string {
    let path = this.#paths.get(number)
    if (path === undefined) this.#paths.set(number, (path = this.#makePath(number)))
    return path
  }

  #makePath(number: number): string {
    if (number === 0) return '/'
    const word = (about: string): string => WORDS[this.#chance(about, number) % WORDS.length] ?? ''
    const section = SECTIONS[this.#chance('section', number) % SECTIONS.length] ?? ''
    return `/${section}/${word('first')}-${word('second')}-${number}`
  }

  /** It says `noindex`. */
  isHidden(number: number): boolean {
    return number % 89 === 88
  }

  /** No page links to it, the sitemap does. */
  isOnlyListed(number: number): boolean {
    return number % 97 === 96 && number >= this.#options.pages / 2
  }

  /** It has the same content under another URL, too, to which it links. */
  hasDouble(number: number): boolean {
    return number % 101 === 100
  }

  isChanging(number: number): boolean {
    return number % CHANGING === 5
  }

  answer(request: HttpRequest): HttpResponse {
    const { path } = request
    if (path === '/robots.txt') return this.#robots(request.url.origin)
    if (path.startsWith('/sitemap')) return this.#sitemap(path, request.url.origin)
    const [, first = '', second = ''] = path.split('/')
    if (first === 'go') return redirect(this.pathOf(Number(second)), { status: 301 })
    if (first === 'private') return path === '/private/open' ? text('open') : text('This must not be fetched')
    const number = path === '/' ? 0 : Number(/-(\d+)$/.exec(path)?.[1] ?? Number.NaN)
    if (number < this.#options.pages && path === this.pathOf(number)) return this.#page(request, number)
    const trap = answerTrap(request, this.#options.seed)
    if (trap === undefined) throw new HttpError(404)
    return trap
  }

  #chance(...about: readonly (string | number)[]): number {
    return chance(this.#options.seed, ...about)
  }

  #robots(origin: string): HttpResponse {
    const { crawlDelay } = this.#options
    return text(
      [
        'User-agent: *',
        'Disallow: /private/',
        'Allow: /private/open',
        'Disallow: /*.secret$',
        ...(crawlDelay === undefined ? [] : [`Crawl-delay: ${crawlDelay}`]),
        'User-agent: worse-crawler',
        'Disallow: /',
        `Sitemap: ${origin}/sitemap-index.xml`,
        '',
      ].join('\n'),
    )
  }

  /** The second half of the pages, the odd files as gzip. */
  #sitemap(path: string, origin: string): HttpResponse {
    const from = Math.floor(this.#options.pages / 2)
    const files = Math.ceil((this.#options.pages - from) / SITEMAP_URLS)
    const nameOf = (file: number): string => (file % 2 === 1 ? `/sitemap-${file}.xml.gz` : `/sitemap-${file}.xml`)
    const toXml = (root: string, item: string, urls: readonly string[]): string =>
      `<?xml version="1.0"?>\n<${root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${urls
        .map((url) => `<${item}><loc>${origin}${url}</loc></${item}>`)
        .join('\n')}</${root}>`
    const headers = { 'Content-Type': 'application/xml' }
    if (path === '/sitemap-index.xml') {
      const names = Array.from({ length: files }, (_, file) => nameOf(file))
      return new HttpResponse(toXml('sitemapindex', 'sitemap', names), { headers })
    }
    const file = Number(/^\/sitemap-(\d+)\./.exec(path)?.[1] ?? Number.NaN)
    if (!(file < files) || path !== nameOf(file)) throw new HttpError(404)
    const first = from + file * SITEMAP_URLS
    const count = Math.min(SITEMAP_URLS, this.#options.pages - first)
    const xml = toXml(
      'urlset',
      'url',
      Array.from({ length: count }, (_, i) => this.pathOf(first + i)),
    )
    return file % 2 === 1
      ? new HttpResponse(gzipSync(xml), { headers: { 'Content-Type': 'application/gzip' } })
      : new HttpResponse(xml, { headers })
  }

  #page({ path, query, headers }: HttpRequest, number: number): HttpResponse {
    const revision = this.isChanging(number) ? this.revision : 0
    const tag = `"${number}-${revision}"`
    const fields = { ETag: tag, 'Cache-Control': 'max-age=0' }
    if (headers.get('if-none-match') === tag) return new HttpResponse(null, { status: 304, headers: fields })
    return html(this.#htmlOf(number, revision, query.has('ref') ? path : undefined), { headers: fields })
  }

  /** `canonical` is named where the page was asked for by another URL. */
  #htmlOf(number: number, revision: number, canonical: string | undefined): string {
    const title = `${number === 0 ? 'Start' : this.pathOf(number).slice(1)}, revision ${revision}`
    const head = [
      `<title>${title}</title>`,
      ...(canonical === undefined ? [] : [`<link rel="canonical" href="${canonical}">`]),
      ...(this.isHidden(number) ? ['<meta name="robots" content="noindex">'] : []),
    ]
    const words = Array.from({ length: LINES }, (_, line) => WORDS[this.#chance(number, line) % WORDS.length])
    const links = this.#linksOf(number).map((to) => `<a href="${to}">${to}</a>`)
    return `<!doctype html><html><head>${head.join('')}</head><body><h1>${title}</h1><p>${words.join(' ')}</p>${links.join('\n')}
<a rel="nofollow" href="/private/nofollow">never</a><a href="/private/${number}">not allowed</a><a href="mailto:a@b.example">mail</a></body></html>`
  }

  #linksOf(number: number): readonly string[] {
    const { pages, traps = TRAPS } = this.#options
    const below = Array.from({ length: BRANCHES }, (_, i) => number * BRANCHES + 1 + i)
    const links = below.filter((to) => to < pages && !this.isOnlyListed(to)).map((to) => this.pathOf(to))
    for (let i = 0; i < OTHERS; i += 1) links.push(this.#spelt(this.#chance('other', number, i) % pages, i))
    if (this.hasDouble(number)) links.push(`${this.pathOf(number)}?print=1`)
    if (number % 50 === 7) links.push(`/go/${this.#chance('go', number) % pages}`)
    if (number % 50 === 8) links.push(`${this.pathOf(this.#chance('ref', number) % pages)}?ref=${number}`)
    if (number === 0) links.push('/private/open', '/file.secret', ...traps)
    return links
  }

  /** The same URL, as pages write it in many ways. */
  #spelt(number: number, way: number): string {
    const path = this.pathOf(this.isOnlyListed(number) ? 0 : number)
    return [`${path}#part`, `${path}?utm_source=site`, `/./${path.slice(1)}`, path.replace('-', '%2D')][way] ?? path
  }
}
