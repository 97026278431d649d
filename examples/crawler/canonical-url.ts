import { normalPercents } from './percent-encoding.js'

export interface UrlRules {
  /** Whether parameters are put in order: a few servers mind theirs. */
  readonly sortsQuery: boolean
}

/** Say where somebody came from, or who it is, and not what is asked for. */
const NO_PART_OF_IT =
  /^(utm_[a-z_]*|gclid|dclid|gbraid|wbraid|fbclid|msclkid|yclid|mc_cid|mc_eid|_ga|_gl|igshid|phpsessid|jsessionid|aspsessionid[a-z]*|cfid|cftoken|session_?id)$/i
/** `;jsessionid=…` of Java, `/(S(…))/` of ASP.NET. */
const SESSION_IN_PATH = /;(?:jsessionid|phpsessid|sid)=[^/;]*|\/\(S\([a-z\d]+\)\)(?=\/)/gi

/**
 * One spelling for a URL that links write in many ways, or `undefined` for what is no URL of HTTP: as the URL standard
 * writes it, without fragment, user, default port and the dot behind a host; percent-encoding normal; without parameters
 * that only track visitors or sessions; parameters in order, where the rules say so. What might be another page stays:
 * `/index.html`, a `/` at the end, upper case in a path.
 */
export function canonicalUrl(href: string, base: string | undefined, rules: UrlRules): string | undefined {
  const url = tryParse(href, base)
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  const host = url.host.replace(/\.(?=$|:)/, '')
  if (host === '') return undefined
  const path = normalPercents(url.pathname).replace(SESSION_IN_PATH, '')
  return `${url.protocol}//${host}${path}${canonicalQuery(url.search, rules)}`
}

function tryParse(href: string, base: string | undefined): URL | undefined {
  try {
    return new URL(href, base)
  } catch {
    return undefined // Pages have many such links.
  }
}

function canonicalQuery(search: string, { sortsQuery }: UrlRules): string {
  if (search.length < 2) return ''
  const parameters = search
    .slice(1)
    .split('&')
    .filter((parameter) => parameter !== '' && !NO_PART_OF_IT.test(nameOf(parameter)))
    .map(normalPercents)
  // Equal names stay in their order, which means something in forms.
  if (sortsQuery) parameters.sort((a, b) => compare(nameOf(a), nameOf(b)))
  return parameters.length === 0 ? '' : `?${parameters.join('&')}`
}

const nameOf = (parameter: string): string => parameter.split('=', 1)[0] ?? ''

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
