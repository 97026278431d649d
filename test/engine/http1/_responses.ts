import assert from 'node:assert/strict'
import { MoorageError } from '#src/base/errors.js'
import { fromLatin1 } from '#src/base/ascii.js'
import { ClientConnection, type ClientEvent } from '#src/engine/http1/client-connection.js'
import type { RequestStart } from '#src/engine/http1/encode-request.js'
import { readHttp1ClientOptions, type Http1ClientOptions } from '#src/engine/http1/options.js'
import { cutsOf, latin1 } from './_requests.js'

/** One response as a client saw it; `interim` ones have no body and no end. */
export interface SeenResponse {
  readonly status: number
  readonly reason: string
  readonly version: '1.0' | '1.1'
  readonly keepAlive: boolean
  readonly interim: boolean
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
  readonly trailers: readonly (readonly [string, string])[]
  readonly whole: boolean
}

export interface SeenByClient {
  readonly responses: readonly SeenResponse[]
  /** `need-data`, `end`, `switched`, or the code of what was refused. */
  readonly ending: string
  readonly section: string
  readonly isIdle: boolean
  /** What came behind a switch. */
  readonly rest: string
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
const SPOILED = 0xaa

/** Sends a request and all of its body, of zeros. */
function ask(engine: ClientConnection, start: RequestStart): void {
  engine.request(start)
  const { bodyLength = 0 } = start
  if (typeof bodyLength === 'number' && bodyLength > 0) engine.data(bodyLength)
  engine.end()
}

/** Feeds pieces to a client that asks one thing after the other, each when the one before is answered. */
export function ask1by1(
  asked: readonly RequestStart[],
  pieces: readonly Uint8Array[],
  options?: Http1ClientOptions,
  eof: boolean = false,
): SeenByClient {
  const engine = new ClientConnection(readHttp1ClientOptions(options), latin1)
  const shared = new Uint8Array(Math.max(1, ...pieces.map(({ length }) => length)))
  const responses: Writable<SeenResponse>[] = []
  const waiting = [...asked]
  let [ending, section, rest] = ['need-data', '', '']
  const askNext = (): void => {
    const next = waiting.shift()
    if (next !== undefined) ask(engine, next)
  }
  const take = (event: ClientEvent): boolean => {
    const last = responses.at(-1)
    switch (event.type) {
      case 'interim':
      case 'response':
        responses.push({
          status: event.status,
          reason: event.reason,
          version: event.minorVersion === 0 ? '1.0' : '1.1',
          keepAlive: event.keepAlive,
          interim: event.type === 'interim',
          fields: [...event.fields],
          body: '',
          trailers: [],
          whole: event.type === 'interim',
        })
        return true
      case 'data':
        assert.ok(last !== undefined && event.bytes.length > 0)
        last.body += fromLatin1(event.bytes)
        return true
      case 'message-end':
        assert.ok(last !== undefined)
        last.whole = true
        last.trailers = event.trailers === undefined ? [] : [...event.trailers]
        if (engine.persists) askNext()
        return true
      case 'paused':
        return assert.fail('the request was sent to its end')
      case 'need-data':
        return false
      case 'switched':
        rest += fromLatin1(engine.takeRest())
        ending = event.type
        return false
      case 'end':
        ending = event.type
        return false
    }
  }
  const pull = (): void => {
    try {
      while (take(engine.nextEvent()));
    } catch (error) {
      if (!(error instanceof MoorageError)) throw error
      ending = error.code
      section = String(error.details['section'])
    }
  }
  askNext()
  for (const piece of pieces) {
    shared.set(piece)
    engine.receive(shared.subarray(0, piece.length))
    pull()
    shared.fill(SPOILED)
  }
  if (eof) {
    engine.receiveEof()
    pull()
  }
  return { responses, ending, section, isIdle: engine.isIdle, rest }
}

/** The bytes whole, one by one, and in two at every place: the outcome must be the same. Returns it. */
export function askEveryWay(
  asked: readonly RequestStart[],
  bytes: Uint8Array,
  options?: Http1ClientOptions,
  eof: boolean = false,
): SeenByClient {
  const whole = ask1by1(asked, [bytes], options, eof)
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
  assert.deepEqual(ask1by1(asked, single, options, eof), whole, 'byte by byte')
  for (const at of cutsOf(bytes.length)) {
    const seen = ask1by1(asked, [bytes.subarray(0, at), bytes.subarray(at)], options, eof)
    assert.deepEqual(seen, whole, `cut at ${at}`)
  }
  return whole
}
