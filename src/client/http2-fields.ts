import { FieldList } from '../engine/http/field-list.js'
import { fieldPairs } from '../engine/http/fields.js'
import { reasonOf } from '../engine/http/status.js'
import type { Exchange, IncomingHead } from './exchange.js'

/** RFC 9113 §8.3.1: what stands in the first line of HTTP/1 are fields, and names are in lower case. */
export function toHttp2Fields({ start, body }: Exchange): Record<string, string | string[]> {
  const { method, target, host, fields = [] } = start
  const made: Record<string, string | string[]> = {
    ':method': method,
    ':scheme': 'https',
    ':authority': host,
    ':path': target,
  }
  if (body !== undefined && typeof body.length === 'number') made['content-length'] = String(body.length)
  for (const [name, value] of fieldPairs(fields)) {
    const lower = name.toLowerCase()
    if (OF_HTTP1.has(lower)) continue
    const before = made[lower]
    made[lower] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return made
}

/** RFC 9113 §8.2.2: what says where a body ends, and what is of one connection, is said by frames. */
const OF_HTTP1: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
])

type Received = Readonly<Record<string, unknown>>

/** RFC 9113 §8.3.2. */
export function headOf(headers: Received): IncomingHead {
  const status = Number(headers[':status'])
  return { status, reason: reasonOf(status), fields: new FieldList(pairsOf(headers)), httpVersion: '2' }
}

export function* pairsOf(headers: Received): Generator<readonly [name: string, value: string], void, undefined> {
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':')) continue
    for (const each of Array.isArray(value) ? value : [value]) yield [name, String(each)]
  }
}
