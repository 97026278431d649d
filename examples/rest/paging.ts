import { HttpError, type HttpRequest } from 'moorage/http'
import type { Page, PageStart } from './store.js'

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 100
const CURSOR = /^(a|b)(\d{1,15})$/

/** `?limit=…&cursor=…`, where a cursor is what a link gave. @throws HttpError 400. */
export function readPage({ query }: HttpRequest): { readonly start: PageStart; readonly limit: number } {
  const limit = query.get('limit') ?? String(DEFAULT_LIMIT)
  if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > MAX_LIMIT)
    throw new HttpError(400, `limit is a number from 1 to ${MAX_LIMIT}`)
  const cursor = CURSOR.exec(query.get('cursor') ?? 'a0')
  if (cursor === null) throw new HttpError(400, 'cursor is not one that a link gave')
  return { start: { from: cursor[1] === 'a' ? 'after' : 'before', place: Number(cursor[2]) }, limit: Number(limit) }
}

/** The field Link with the pages around this one: RFC 8288. */
export function formatLinks({ base, path }: HttpRequest, page: Page, limit: number): Record<string, string> {
  const { entries, hasNext, hasPrevious } = page
  const [first, last] = [entries[0], entries.at(-1)]
  const link = (rel: string, cursor: string): string => `<${base}${path}?limit=${limit}&cursor=${cursor}>; rel="${rel}"`
  const links = [
    ...(hasPrevious && first !== undefined ? [link('prev', `b${first.place}`)] : []),
    ...(hasNext && last !== undefined ? [link('next', `a${last.place}`)] : []),
  ]
  return links.length === 0 ? {} : { Link: links.join(', ') }
}
