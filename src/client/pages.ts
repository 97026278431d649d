import { wrongRedirect } from './redirects.js'
import type { ClientResponse } from './response.js'
import type { RequestOptions } from './session-options.js'
import { originOf, resolveUrl } from './target.js'

interface Getter {
  get(url: string | URL, options?: RequestOptions): Promise<ClientResponse>
}

/** See `Session.pages`. */
export async function* pages(
  session: Getter,
  url: string | URL,
  options: RequestOptions | undefined,
): AsyncGenerator<ClientResponse, void, undefined> {
  const seen = new Set<string>()
  let next: string | URL | undefined = url
  while (next !== undefined) {
    const response: ClientResponse = await session.get(
      next,
      seen.size === 0 ? options : { ...options, query: undefined },
    )
    seen.add(response.url)
    yield response
    const link = response.links.find(({ rel }) => rel === 'next')
    const following = link && resolveUrl(link.target, response.url)
    if (following !== undefined && originOf(following) !== originOf(response.url))
      throw wrongRedirect(
        response,
        [],
        'its next page is at another origin',
        'request that page yourself, with what it may know',
      )
    next = following === undefined || seen.has(following) ? undefined : following
  }
}
