import { UsageError } from '../base/errors.js'
import { fieldPairs } from '../engine/http/fields.js'
import { HttpResponse, type ResponseInit } from './response.js'

/** One event of a stream; a string is one that has only data. */
export interface ServerSentEvent {
  /** Text; several lines stay several lines. */
  readonly data?: string
  /** The name that the page listens to. Default: `message`. */
  readonly event?: string
  /** What the client sends as `Last-Event-ID` when it comes again. */
  readonly id?: string
  /** Milliseconds after which it comes again. */
  readonly retry?: number
}

export interface EventStreamInit extends Omit<ResponseInit, 'status' | 'length' | 'endless'> {
  /** Milliseconds after which a comment is sent when there is no event, so that proxies do not end it. Default: 15,000. */
  readonly heartbeatMs?: number
}

const DEFAULT_HEARTBEAT_MS = 15_000

/**
 * Server-sent events (HTML Standard §9.2), at the pace of the client. When it is gone, `return` of the iterator is called;
 * a generator that waits for something else than its next event waits with `request.signal` too. Gone is also a client
 * that ends its direction only (see `endless`): browsers and curl say goodbye so, and a heartbeat would tell it much later.
 * @example
 * const clock = (request: HttpRequest) => sse(ticks(request.signal))
 */
export function sse(events: AsyncIterable<ServerSentEvent | string>, init?: EventStreamInit): HttpResponse {
  const { heartbeatMs = DEFAULT_HEARTBEAT_MS, headers, ...rest } = init ?? {}
  if (!Number.isFinite(heartbeatMs) || heartbeatMs <= 0)
    throw new UsageError('ERR_ARGUMENT', `Cannot send a heartbeat every ${heartbeatMs} ms: expected more than 0`)
  return new HttpResponse(
    { [Symbol.asyncIterator]: () => new EventStream(events[Symbol.asyncIterator](), heartbeatMs) },
    {
      ...rest,
      endless: true,
      headers: [
        ['Content-Type', 'text/event-stream'],
        ['Cache-Control', 'no-cache'],
        ...(headers === undefined ? [] : fieldPairs(headers)),
      ],
    },
  )
}

const HEARTBEAT = ':\n\n'
const OVER: IteratorResult<string> = { done: true, value: undefined }

/** Events as text, with a comment whenever none came for a while. */
class EventStream implements AsyncIterator<string> {
  readonly #events: AsyncIterator<ServerSentEvent | string>
  readonly #heartbeatMs: number
  /** The next event, asked for once: a heartbeat does not ask again. */
  #next: Promise<IteratorResult<ServerSentEvent | string>> | undefined
  #isDone = false
  #isSettled = false
  #wake: (() => void) | undefined

  constructor(events: AsyncIterator<ServerSentEvent | string>, heartbeatMs: number) {
    this.#events = events
    this.#heartbeatMs = heartbeatMs
  }

  async next(): Promise<IteratorResult<string>> {
    if (this.#isDone) return OVER
    if (this.#next === undefined) {
      // One reaction for each event, however many heartbeats come before it.
      const settled = (): void => {
        this.#isSettled = true
        this.#wake?.()
      }
      this.#isSettled = false
      this.#next = this.#events.next()
      this.#next.then(settled, settled)
    }
    if (!this.#isSettled)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#heartbeatMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    if (this.#isDone) return OVER
    if (!this.#isSettled) return { done: false, value: HEARTBEAT }
    const result = await this.#next
    this.#next = undefined
    if (result.done !== true) return { done: false, value: encodeEvent(result.value) }
    this.#isDone = true
    return OVER
  }

  async return(): Promise<IteratorResult<string>> {
    this.#isDone = true
    this.#wake?.()
    this.#next?.catch(() => undefined)
    await this.#events.return?.()
    return { done: true, value: undefined }
  }
}

/** @throws UsageError `ERR_ARGUMENT` for an id or a name that would end its line. */
export function encodeEvent(event: ServerSentEvent | string): string {
  const { data, event: name, id, retry } = typeof event === 'string' ? { data: event } : event
  let lines = ''
  if (name !== undefined) lines += `event: ${oneLine('event', name)}\n`
  if (id !== undefined) lines += `id: ${oneLine('id', id)}\n`
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0) throw badPart('retry', 'expected milliseconds')
    lines += `retry: ${retry}\n`
  }
  if (data !== undefined) for (const line of data.split(/\r\n|\r|\n/)) lines += `data: ${line}\n`
  return `${lines}\n`
}

function oneLine(part: string, value: string): string {
  // oxlint-disable-next-line no-control-regex -- NUL makes clients pass over an id
  if (/[\r\n\0]/.test(value)) throw badPart(part, 'it has a line break or a NUL')
  return value
}

const badPart = (part: string, why: string): UsageError =>
  new UsageError('ERR_ARGUMENT', `Cannot send the ${part} of an event: ${why}`)
