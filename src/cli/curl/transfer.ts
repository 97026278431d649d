import type { ClientResponse } from '../../client/index.js'
import { Asking, type AskingParts } from './asking.js'
import { credentialsBeside, credentialsOf } from './credentials.js'
import { parseCurlUrl, type CurlUrl } from './curl-url.js'
import { CurlFailure } from './exit-codes.js'
import type { RawHead } from './narration.js'
import { demandAllowed } from './protocols.js'
import { nextRequest } from './redirect-rules.js'
import type { CurlBody } from './request-body.js'

/** What one URL came to, behind its redirects. */
export interface Answer {
  readonly response: ClientResponse
  readonly url: CurlUrl
  readonly method: string
  readonly redirects: number
  /** Until the last request began. */
  readonly redirectMs: number
  /** Where it would have gone on to. */
  readonly redirectUrl: string | undefined
}

/** Sends a request, and goes where redirects lead. `onHead` is told of every head on the way. */
export async function transfer(
  parts: AskingParts,
  first: { readonly url: CurlUrl; readonly method: string; readonly body: CurlBody },
  onHead: (head: RawHead) => void,
): Promise<Answer> {
  const { line } = parts
  const asking = new Asking(parts, onHead)
  const began = performance.now()
  const [refererFirst = '', auto] = (line.text('referer') ?? '').split(/(;auto)$/)
  const most = line.number('max-redirs') ?? 50
  const ownCredentials = await credentialsOf(line, first.url)
  let { url, method, body } = first
  let credentials = ownCredentials
  let referer: string | undefined = refererFirst
  for (let redirects = 0; ; redirects += 1) {
    const isElsewhere = url.origin !== first.url.origin && !line.has('location-trusted')
    const redirectMs = redirects === 0 ? 0 : performance.now() - began
    const response = await asking.ask({ url, method, body, credentials, isElsewhere, referer })
    const isFollowed = line.has('location') || line.has('location-trusted')
    const next = isFollowed ? redirectOf(response, url) : undefined
    const answer = {
      response,
      url,
      method,
      redirects,
      redirectMs,
      redirectUrl: next?.href ?? redirectTold(response, url),
    }
    if (next === undefined) return answer
    if (most >= 0 && redirects >= most)
      throw new CurlFailure(
        'redirects',
        `Cannot go on: there were ${redirects} redirects, as many as --max-redirs allows`,
      )
    demandAllowed(line, next, true)
    const following = nextRequest(line, response.status, method, body)
    if (following.body.kind !== 'none' && !following.body.isReplayable)
      throw new CurlFailure('send', 'Cannot follow the redirect: what was read from stdin cannot be sent again')
    await response.bytes().catch(() => response.discard())
    if (auto !== undefined) referer = `${url.origin}${url.path}`
    const keeps = next.origin === first.url.origin || line.has('location-trusted')
    credentials = keeps && next.user === undefined ? ownCredentials : await credentialsBeside(line, next)
    ;({ method, body } = following)
    url = next
  }
}

function redirectOf({ status, headers }: ClientResponse, url: CurlUrl): CurlUrl | undefined {
  const location = headers.get('location')
  if (status < 300 || status > 399 || location === undefined) return undefined
  const text = Buffer.from(location, 'latin1').toString('utf8')
  return parseCurlUrl(text.includes('\ufffd') ? location : text, { asIs: false, query: [], base: url })
}

/** Where it would lead; what nobody follows need not be a URL. */
function redirectTold(response: ClientResponse, url: CurlUrl): string | undefined {
  try {
    return redirectOf(response, url)?.href
  } catch {
    return response.headers.get('location')
  }
}
