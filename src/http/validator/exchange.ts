import type { UsageError } from '../../base/errors.js'
import type { ValidateFetchSettings } from '../validate-fetch.js'
import { problem, shown } from './problem.js'
import { watchBody, type BodyWatch } from './watched-body.js'

/** Fetch §2.2.3: no response can be made with one of these and a body. */
const NULL_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304])

/** One request and its response, while their bodies are read. */
export class Exchange {
  readonly #settings: ValidateFetchSettings
  #isOver = false

  constructor(settings: ValidateFetchSettings) {
    this.#settings = settings
  }

  /** Throws it, unless somebody is told instead. */
  #tell(found: UsageError): void {
    const { report } = this.#settings
    if (report === undefined) throw found
    report(found)
  }

  /** The response was sent whole, or never will be. */
  end(): void {
    this.#isOver = true
  }

  /** The answer of the handler, or the problem when it does not come. */
  async inTime(answer: () => Promise<Response>): Promise<Response> {
    const { clock, timeoutMs } = this.#settings
    const answering = answer()
    let stop = (): void => undefined
    const late = new Promise<never>((_resolve, reject) => {
      stop = clock.after(timeoutMs, () => {
        const message = `Cannot wait any longer: the handler has not answered in ${timeoutMs} ms`
        try {
          this.#tell(problem('ERR_FETCH_TIME', 'late', message, 'RFC 9110 §15.6.5'))
        } catch (error) {
          reject(error)
          // What comes now is for nobody.
          answering.then((response) => response.body?.cancel(error)).catch(() => undefined)
        }
      })
    })
    try {
      return await Promise.race([answering, late])
    } finally {
      stop()
    }
  }

  /** The request as the handler gets it: its body cannot be read when the response is over. */
  request(request: Request): Request {
    const { method, body } = request
    // Wrong ones are handed over as they are: they cannot be made again.
    if (body === null || method === 'GET' || method === 'HEAD' || body.locked || request.bodyUsed) return request
    const watched = watchBody(body, {
      asked: () => {
        const message = 'Cannot read the body of a request: the response to it is over'
        if (this.#isOver) this.#tell(problem('ERR_FETCH_STREAM', 'late-read', message, 'RFC 9112 §9.3'))
      },
      gave: (chunk) => this.#isBytes(chunk, 'ERR_FETCH_REQUEST', 'request-chunk'),
      over: () => undefined,
    })
    return new Request(request, { method, body: watched.stream, duplex: 'half' })
  }

  /** The response as the caller gets it: its bytes are counted, and it must not be left in the middle. */
  response(method: string, response: Response): Response {
    const { body, status, statusText, headers } = response
    if (body === null || NULL_BODY.has(status) || body.locked || response.bodyUsed) {
      this.end()
      return response
    }
    const announced = method === 'HEAD' ? null : headers.get('content-length')
    const length = announced === null || !/^\d{1,15}$/.test(announced) ? undefined : Number(announced)
    const watched = watchBody(
      body,
      this.#answerWatch(length, (error) => watched.fail(error)),
    )
    return new Response(watched.stream, { status, statusText, headers })
  }

  #answerWatch(length: number | undefined, cut: (error: UsageError) => void): BodyWatch {
    let count = 0
    let stop = this.#idle(cut)
    const falseLength = (counted: string): void => {
      const message = `Cannot send a body of ${counted} as one of ${length} bytes`
      this.#tell(problem('ERR_FETCH_BODY', 'length', message, 'RFC 9110 §8.6'))
    }
    let isTold = false
    return {
      asked: () => stop(),
      gave: (chunk) => {
        this.#isBytes(chunk, 'ERR_FETCH_BODY', 'chunk')
        if (chunk instanceof Uint8Array) count += chunk.length
        if (length !== undefined && count > length && !isTold) {
          isTold = true
          falseLength(`${count} bytes or more`)
        }
        stop = this.#idle(cut)
      },
      over: (how) => {
        stop()
        this.end()
        if (how === 'end' && length !== undefined && count < length) falseLength(`${count} bytes`)
      },
    }
  }

  #isBytes(chunk: unknown, code: 'ERR_FETCH_REQUEST' | 'ERR_FETCH_BODY', rule: string): void {
    if (chunk instanceof Uint8Array) return
    const kind = typeof chunk === 'string' ? `the string ${shown(chunk)}` : `a value of type ${typeof chunk}`
    this.#tell(problem(code, rule, `Cannot send ${kind}: a body is made of Uint8Arrays`, 'Fetch §2.2.4'))
  }

  /** Watches that the body is asked for more. Nobody may be there to catch it: then it is a warning of the process. */
  #idle(cut: (error: UsageError) => void): () => void {
    const { clock, idleBodyTimeoutMs, report } = this.#settings
    return clock.after(idleBodyTimeoutMs, () => {
      const message = `Cannot leave a body: it was neither read to its end nor cancelled in ${idleBodyTimeoutMs} ms`
      const found = problem('ERR_FETCH_STREAM', 'left-body', message, 'Streams §4.2')
      if (report === undefined) {
        process.emitWarning(found)
        cut(found)
      } else report(found)
    })
  }
}
