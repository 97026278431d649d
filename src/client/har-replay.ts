import { UsageError } from '../base/errors.js'
import { FieldList } from '../engine/http/field-list.js'
import type { Har, HarEntry } from './har.js'
import { readyIncoming, type Incoming } from './incoming.js'

/** What does not hold for a body that is decoded and whole. */
const OF_SENDING: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
])

/**
 * Answers as a HAR says, without a network: for tests. Give it to a `Session` as `replay`. Requests are told apart by method
 * and URL; those that came several times are answered in their order, and the last answer is given again.
 */
export class HarReplay {
  readonly #entries = new Map<string, HarEntry[]>()

  /** What `HarRecorder` or a browser wrote: as an object, or as text. @throws UsageError `ERR_HAR`. */
  constructor(har: Har | string) {
    const { log } = typeof har === 'string' ? parse(har) : har
    if (!Array.isArray(log?.entries)) throw wrongHar('it has no log.entries', undefined)
    for (const entry of log.entries) {
      const key = keyOf(entry.request.method, entry.request.url)
      const known = this.#entries.get(key)
      if (known === undefined) this.#entries.set(key, [entry])
      else known.push(entry)
    }
  }

  /** @internal @throws UsageError `ERR_HAR` for what was not recorded. */
  answer(method: string, url: string): Incoming {
    const entries = this.#entries.get(keyOf(method, url))
    const entry = entries !== undefined && entries.length > 1 ? entries.shift() : entries?.[0]
    if (entry === undefined) throw wrongHar(`it has no ${method} ${url}`, undefined)
    const { status, statusText, httpVersion, headers, content } = entry.response
    const pairs = headers.flatMap(({ name, value }) =>
      OF_SENDING.has(name.toLowerCase()) ? [] : [[name, value] as const],
    )
    return readyIncoming(
      { method, url },
      {
        status,
        reason: statusText,
        httpVersion: httpVersion.replace(/^HTTP\//i, ''),
        fields: new FieldList(pairs),
        body: Buffer.from(content.text ?? '', content.encoding === 'base64' ? 'base64' : 'utf8'),
      },
    )
  }
}

const keyOf = (method: string, url: string): string => `${method} ${new URL(url).href}`

function parse(text: string): Har {
  try {
    const har: Har = JSON.parse(text)
    return har
  } catch (cause) {
    throw wrongHar('it is no JSON', cause)
  }
}

const wrongHar = (why: string, cause: unknown): UsageError =>
  new UsageError('ERR_HAR', `Cannot answer from the HAR: ${why}`, { cause })
