import { LimitError } from '../base/errors.js'

/** An event of a server (HTML Standard §9.2). */
export interface ReceivedEvent {
  /** Default: `message`. */
  readonly event: string
  readonly data: string
  /** The last one that was sent; '' before there was one: `Last-Event-ID` of the next request. */
  readonly id: string
  /** Milliseconds after which to come again, where the server said so with this event. */
  readonly retryMs: number | undefined
}

/** Of the data of one event. */
const MAX_DATA_LENGTH = 16 * 1024 * 1024

/** HTML Standard §9.2.6. What has no data is no event; one that is not whole at the end is dropped. */
export async function* parseEvents(lines: AsyncIterable<string>): AsyncGenerator<ReceivedEvent, void, undefined> {
  let event = ''
  let data: string[] = []
  let length = 0
  let id = ''
  let retryMs: number | undefined
  for await (const line of lines) {
    if (line === '') {
      if (data.length > 0) yield { event: event === '' ? 'message' : event, data: data.join('\n'), id, retryMs }
      event = ''
      data = []
      length = 0
      retryMs = undefined
      continue
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === 'data') {
      data.push(value)
      length += value.length
      if (length > MAX_DATA_LENGTH)
        throw new LimitError(
          'ERR_BODY_LIMIT',
          `Cannot read an event: its data has more than ${MAX_DATA_LENGTH} characters`,
          {
            details: { limit: MAX_DATA_LENGTH },
          },
        )
    } else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) id = value
    else if (field === 'retry' && /^\d{1,10}$/.test(value)) retryMs = Number(value)
  }
}
