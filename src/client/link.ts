/** RFC 8288 §2: where a response points to, and what that is to it. */
export interface Link {
  /** As it was written, and so often relative to the URL of the response. */
  readonly target: string
  /** One type of relation, in lower case: `next`, `preload`, a URL; '' when none was given. */
  readonly rel: string
  /**
   * The others by name in lower case, the first of each: `title`, `type`, `hreflang`, `anchor` (then the link is not one of
   * the response itself). A `title*` is decoded, and stands as `title`.
   */
  readonly params: ReadonlyMap<string, string>
}

/** The most links that are read of one field; sites that preload much send some dozens. */
export const MAX_LINKS = 256

/**
 * RFC 8288 appendix B: the links of a Link field, or of several joined by commas, one for each type of relation. Never
 * throws: what is malformed ends the reading, as the standard has it, and the links before it count.
 */
export function parseLinks(headerValue: string): readonly Link[] {
  const reader = new LinkReader(headerValue)
  const links: Link[] = []
  while (links.length < MAX_LINKS) {
    const target = reader.target()
    if (target === undefined) return links
    const params = reader.parameters()
    const relations = (params.get('rel') ?? '').toLowerCase().split(/[ \t]+/)
    params.delete('rel')
    const known = relations.filter((rel, i) => rel !== '' && relations.indexOf(rel) === i)
    for (const rel of known.length === 0 ? [''] : known) links.push({ target, rel, params })
  }
  return links.slice(0, MAX_LINKS)
}

const NAME = /[^ \t=;,]*/y
const BARE = /[^;,]*/y
const SPACE = /[ \t]*/y
const BETWEEN_LINKS = /[ \t,]*/y
/** RFC 8288 §B.4; one without an end goes to the end of the field. */
const QUOTED = /"((?:[^"\\]|\\.)*)(?:"|\\?$)/sy

class LinkReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** What stands in `<` and `>`; `undefined` when no link comes next. */
  target(): string | undefined {
    this.#take(BETWEEN_LINKS)
    if (this.#text[this.#at] !== '<') return undefined
    const end = this.#text.indexOf('>', this.#at)
    if (end === -1) return undefined
    const target = this.#text.slice(this.#at + 1, end).trim()
    this.#at = end + 1
    return target
  }

  /** RFC 8288 §B.3. */
  parameters(): Map<string, string> {
    const params = new Map<string, string>()
    let title: string | undefined
    while (this.#takeMark(';')) {
      this.#take(SPACE)
      const name = this.#take(NAME).toLowerCase()
      const value = this.#takeMark('=') ? this.#value() : ''
      if (name === 'title*') title ??= tryDecodeExtended(value)
      else if (name !== '' && !params.has(name)) params.set(name, value)
    }
    if (title !== undefined) params.set('title', title)
    return params
  }

  #value(): string {
    this.#take(SPACE)
    if (this.#text[this.#at] !== '"') return this.#take(BARE).trimEnd()
    return this.#take(QUOTED, 1).replace(/\\(.)/gs, '$1')
  }

  #takeMark(mark: string): boolean {
    this.#take(SPACE)
    if (this.#text[this.#at] !== mark) return false
    this.#at += 1
    return true
  }

  #take(pattern: RegExp, group: number = 0): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return ''
    this.#at = pattern.lastIndex
    return found[group] ?? ''
  }
}

/** RFC 8187 §3.2.1; only UTF-8 is read, and what is malformed counts as not sent. */
function tryDecodeExtended(value: string): string | undefined {
  const encoded = /^utf-8'[a-z\d-]*'(.*)$/i.exec(value)?.[1]
  if (encoded === undefined) return undefined
  try {
    return decodeURIComponent(encoded)
  } catch {
    return undefined // It is not UTF-8.
  }
}
