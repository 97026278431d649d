import { gzipSync } from 'node:zlib'
import { html, HttpResponse, redirect, stream, type HttpRequest } from 'moorage/http'
import { chance } from './chance.js'

/** Where the traps begin: a page links to all of them. */
export const TRAPS: readonly string[] = [
  '/calendar/2026/11',
  '/visitors/00000000000000000000000000000000/welcome',
  '/deep/a/',
  '/maze/0',
  '/shop',
  '/missing/one',
  '/loop/a',
  '/hop/0',
  '/huge',
  '/endless',
  '/slow',
  '/bomb',
  '/many',
]

const HUGE_BYTES = 1024 * 1024 * 1024
const PIECE = new Uint8Array(64 * 1024).fill(0x20)
const MANY = 10_000
const FACETS = ['color', 'size', 'brand', 'price', 'material', 'season', 'rating', 'sale'] as const

const page = (title: string, links: readonly string[]): HttpResponse =>
  html(
    `<!doctype html><title>${title}</title><h1>${title}</h1>${links.map((to) => `<a href="${to}">${to}</a>`).join(' ')}`,
  )

/** What a crawler falls into that follows every link: all of it goes on for ever. `undefined` for any other path. */
export function answerTrap({ path, query }: HttpRequest, seed: number): HttpResponse | undefined {
  const [, name = '', ...rest] = path.split('/')
  switch (name) {
    // Each month has a next one.
    case 'calendar': {
      const [year = 0, month = 0] = rest.map(Number)
      const months = [year * 12 + month, year * 12 + month - 2].map(
        (at) => `/calendar/${Math.floor(at / 12)}/${(at % 12) + 1}`,
      )
      return page(`${year}, month ${month}`, months)
    }
    // Who comes gets an id, and another one on each page.
    case 'visitors': {
      const id = [0, 1, 2, 3]
        .map((part) =>
          chance(seed, 'id', rest[0] ?? '', part)
            .toString(16)
            .padStart(8, '0'),
        )
        .join('')
      return page(`Welcome, ${rest[0] ?? ''}`, [`/visitors/${id}/welcome`, `/visitors/${id}/basket`])
    }
    // A relative link that should have been absolute.
    case 'deep':
      return page(`${rest.length} deep`, ['a/', 'b/'])
    // Never the same name twice.
    case 'maze':
      return page(
        `In the maze, at ${path}`,
        [1, 2, 3].map((door) => `${path}/${chance(seed, path, door).toString(36)}`),
      )
    // All combinations of all filters.
    case 'shop': {
      const links = FACETS.flatMap((facet) => [1, 2].map((value) => `/shop?${query.toString()}&${facet}=${value}`))
      return page(`The shop, by ${query.toString()}`, links)
    }
    // There is nothing, and it does not say so.
    case 'missing':
      return page('We could not find it', [`/missing/${chance(seed, path)}`, `/missing/${chance(seed, path, 2)}`])
    case 'loop':
      return redirect(rest[0] === 'a' ? '/loop/b' : '/loop/a', { status: 301 })
    case 'hop':
      return redirect(`/hop/${Number(rest[0]) + 1}`)
    case 'huge':
      return stream(pieces(HUGE_BYTES), { length: HUGE_BYTES, headers: HTML_TYPE })
    case 'endless':
      return stream(pieces(Infinity), { headers: HTML_TYPE })
    case 'slow':
      return stream(drops(), { headers: HTML_TYPE })
    case 'bomb':
      return new HttpResponse(bomb(), { headers: { ...HTML_TYPE, 'Content-Encoding': 'gzip' } })
    case 'many':
      return rest.length > 0
        ? page(`One of many: ${rest[0] ?? ''}`, [])
        : page(
            'Many',
            Array.from({ length: MANY }, (_, i) => `/many/${i}`),
          )
    default:
      return undefined
  }
}

const HTML_TYPE = { 'Content-Type': 'text/html' }

async function* pieces(bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let sent = 0; sent < bytes; sent += PIECE.length) yield PIECE
}

/** A byte now and then. */
async function* drops(): AsyncGenerator<string, void, undefined> {
  for (;;) {
    yield ' '
    await new Promise((resolve) => {
      setTimeout(resolve, 100)
    })
  }
}

let packed: Uint8Array | undefined
/** 64 MiB in 64 KiB. */
const bomb = (): Uint8Array => (packed ??= gzipSync(new Uint8Array(64 * 1024 * 1024)))
