import { lookup } from 'mrmime'

/** Types that are text in all but their name. */
const TEXTUAL = /^(?:text\/|application\/(?:javascript|json|xml|[\w.+-]+\+(?:json|xml))$|image\/svg\+xml$)/

/** What a client is told that a file is, by the end of its name; bytes when nothing says more. */
export function contentTypeOf(name: string): string {
  const type = lookup(name)
  if (type === undefined) return 'application/octet-stream'
  return TEXTUAL.test(type) && type !== 'application/json' ? `${type}; charset=utf-8` : type
}
