import type { CurlLine } from './curl-line.js'
import { NO_BODY, type CurlBody } from './request-body.js'

/** What is sent to where a redirect leads: with the body, or as a GET. */
export interface NextRequest {
  readonly method: string
  readonly body: CurlBody
}

/**
 * RFC 9110 §15.4, as curl has it: a POST becomes a GET behind 301, 302 and 303 where no flag says otherwise, anything but
 * HEAD behind 303. A method of --request stays, and its body goes.
 */
export function nextRequest(line: CurlLine, status: number, method: string, body: CurlBody): NextRequest {
  if (!becomesGet(line, status, body)) return { method, body }
  return { method: line.text('request') ?? (line.has('head') ? 'HEAD' : 'GET'), body: NO_BODY }
}

function becomesGet(line: CurlLine, status: number, { kind }: CurlBody): boolean {
  const isPost = kind === 'data' || kind === 'form'
  if (status === 301) return isPost && !line.has('post301')
  if (status === 302) return isPost && !line.has('post302')
  return status === 303 && (isPost ? !line.has('post303') : kind === 'upload')
}
