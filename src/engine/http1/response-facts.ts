import { trimSpace } from '../http/characters.js'
import type { FieldSpans } from '../http/fields.js'
import { FramingFields } from './framing-fields.js'
import type { BodyLength } from './message-head.js'
import { refuse } from './refuse.js'

/** What a client asked for, as far as the reading of the response depends on it. */
export interface Asked {
  readonly method: string
  readonly upgrade: string
}

/** Whether the connection is another protocol's behind this response (RFC 9110 §7.8, §9.3.6). */
export const isSwitch = (status: number, method: string): boolean =>
  status === 101 || (method === 'CONNECT' && status >= 200 && status < 300)

/**
 * RFC 9112 §6.3 for a response, and stricter: lengths that contradict each other are refused even where they mean nothing.
 * @throws ProtocolError with `details.status`, that of a gateway's answer.
 */
export function readResponseFacts(
  text: string,
  spans: FieldSpans,
  status: number,
  minorVersion: number,
  { method, upgrade }: Asked,
): { readonly bodyLength: BodyLength; readonly keepAlive: boolean } {
  const found = new FramingFields()
  found.read(text, spans)
  if (status < 200 || status === 204) {
    if (found.isChunked) throw wrongLength(`a ${status} has no Transfer-Encoding`, 'RFC 9112 §6.1')
    if ((found.length ?? 0) > 0) throw wrongLength(`a ${status} has no content`, 'RFC 9110 §8.6')
  }
  if (status === 101) checkUpgrade(found, upgrade)
  const length = found.messageLength(minorVersion)
  const hasBody = status >= 200 && status !== 204 && status !== 304 && method !== 'HEAD' && !isSwitch(status, method)
  const bodyLength = hasBody ? (length ?? 'until-end') : 0
  return { bodyLength, keepAlive: found.persists(minorVersion) && bodyLength !== 'until-end' }
}

/** RFC 9110 §7.8: a server goes on only with what the client has offered, and names it. */
function checkUpgrade({ upgradeNamed, upgrade }: FramingFields, offered: string): void {
  const offers = offered.toLowerCase().split(',').map(trimSpace)
  const names = upgrade.split(',').map(trimSpace)
  if (upgradeNamed && names.every((name) => name !== '' && offers.includes(name))) return
  throw refuse(
    'ERR_HTTP_UNSOLICITED',
    `Cannot go on with ${JSON.stringify(upgrade.slice(0, 64))}: it was not offered`,
    502,
    'RFC 9110 §7.8',
  )
}

const wrongLength = (why: string, section: string): Error =>
  refuse('ERR_HTTP_BODY_LENGTH', `Cannot read the response: ${why}`, 502, section)
