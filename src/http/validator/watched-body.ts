import type { UsageError } from '../../base/errors.js'

/** What is done while a body is read. Whatever these throw ends the body with it. */
export interface BodyWatch {
  /** The reader asks for more. */
  asked(): void
  /** What the body gave, which need not be bytes. */
  gave(chunk: unknown): void
  /** It was read to its end, cancelled, or failed. */
  over(how: 'end' | 'cancel' | 'failure'): void
}

export interface WatchedBody {
  readonly stream: ReadableStream<Uint8Array>
  /** Ends it, for its reader and for its source. */
  fail(error: UsageError): void
}

/** The same body, asked for nothing before its reader asks. */
export function watchBody(body: ReadableStream<Uint8Array>, watch: BodyWatch): WatchedBody {
  const reader = body.getReader()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  /** The source may fail as well when it is told to end: there is nobody left to tell. */
  const leave = (error: unknown): void => {
    watch.over('failure')
    reader.cancel(error).catch(() => undefined)
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      async pull(given) {
        try {
          watch.asked()
          const { done, value } = await reader.read()
          if (done) {
            watch.over('end')
            given.close()
            return
          }
          watch.gave(value)
          given.enqueue(value)
        } catch (error) {
          leave(error)
          throw error
        }
      },
      cancel(reason) {
        watch.over('cancel')
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return {
    stream,
    fail(error) {
      controller?.error(error)
      leave(error)
    },
  }
}
