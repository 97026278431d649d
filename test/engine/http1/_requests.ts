import assert from 'node:assert/strict'
import { concatBytes } from '#src/base/bytes.js'
import { MoorageError } from '#src/base/errors.js'
import { fromLatin1 } from '#src/base/ascii.js'
import { readOptions } from '#src/base/options.js'
import { HTTP1_OPTIONS, type Http1Options } from '#src/engine/http1/options.js'
import { ServerConnection, type ServerEvent } from '#src/engine/http1/server-connection.js'

/** One request as a server saw it. Bytes of the body are joined: how they are cut is the network's. */
export interface SeenRequest {
  readonly method: string
  readonly target: string
  readonly version: '1.0' | '1.1'
  readonly host: string
  readonly keepAlive: boolean
  readonly expectsContinue: boolean
  readonly upgrade: string
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
  readonly trailers: readonly (readonly [string, string])[]
  readonly whole: boolean
}

/** What a server made of some bytes. */
export interface Seen {
  readonly requests: readonly SeenRequest[]
  /** `need-data`, `end`, or the code of what was refused with the status of the answer: `ERR_HTTP_HOST 400`. */
  readonly ending: string
  /** Of the standard: what refused it. */
  readonly section: string
}

const SPOILED = 0xaa
export const latin1 = (bytes: Uint8Array, from: number, to: number): string => fromLatin1(bytes.subarray(from, to))

/** Feeds pieces through one buffer that is spoiled when the engine has said that it is done with it; answers each request. */
export function serve(pieces: readonly Uint8Array[], options?: Http1Options, eof: boolean = false): Seen {
  const engine = new ServerConnection(readOptions('Http1', HTTP1_OPTIONS, options), latin1)
  const shared = new Uint8Array(Math.max(1, ...pieces.map(({ length }) => length)))
  const requests: Writable<SeenRequest>[] = []
  let ending = 'need-data'
  let section = ''
  // Each byte is part of one event, each request has two, and each piece is asked for once more.
  let left = 2 * pieces.reduce((sum, { length }) => sum + length + 1, 2)
  const pull = (): boolean => {
    for (;;) {
      assert.ok((left -= 1) > 0, 'an engine that does not come to an end')
      let event: ServerEvent
      try {
        event = engine.nextEvent()
      } catch (error) {
        if (!(error instanceof MoorageError)) throw error
        assert.throws(
          () => engine.nextEvent(),
          (again) => again === error,
          'a refusal is final',
        )
        ending = `${error.code} ${String(error.details['status'])}`
        section = String(error.details['section'])
        return false
      }
      switch (event.type) {
        case 'request':
          requests.push({
            method: event.method,
            target: event.target,
            version: event.minorVersion === 0 ? '1.0' : '1.1',
            host: event.host,
            keepAlive: event.keepAlive,
            expectsContinue: event.expectsContinue,
            upgrade: event.upgrade,
            fields: [...event.fields],
            body: '',
            trailers: [],
            whole: false,
          })
          break
        case 'data': {
          const last = requests.at(-1)
          assert.ok(last !== undefined && event.bytes.length > 0)
          last.body += fromLatin1(event.bytes)
          break
        }
        case 'message-end': {
          const last = requests.at(-1)
          assert.ok(last !== undefined)
          last.whole = true
          last.trailers = event.trailers === undefined ? [] : [...event.trailers]
          // What a CONNECT is answered with 204 would make it another protocol.
          engine.respond({ status: last.method === 'CONNECT' ? 403 : 204, fields: '', bodyLength: 0 })
          engine.end()
          break
        }
        case 'need-data':
          return true
        case 'end':
          ending = 'end'
          return false
        default:
          assert.fail(`an event "${event.type}" came`)
      }
    }
  }
  let goesOn = true
  for (const piece of pieces) {
    shared.set(piece)
    engine.receive(shared.subarray(0, piece.length))
    const wasOver = !goesOn
    const [count, last] = [requests.length, ending]
    goesOn = pull()
    if (wasOver) assert.deepEqual([goesOn, requests.length, ending], [false, count, last], 'what is over stays so')
    shared.fill(SPOILED)
  }
  if (goesOn && eof) {
    engine.receiveEof()
    pull()
  }
  return { requests, ending, section }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** So many places at which bytes are cut in two; of shorter ones it is every place. */
export const MAX_CUTS = 600

/** All places, or those near the ends and an even sample of the others. */
export function* cutsOf(length: number): Generator<number> {
  const near = MAX_CUTS / 4
  const step = length <= MAX_CUTS ? 1 : Math.max(1, Math.floor((length - 2 * near) / (MAX_CUTS - 2 * near)))
  for (let at = 1; at < length; at += at < near || at >= length - near ? 1 : Math.min(step, length - near - at))
    yield at
}

/** The bytes whole, one by one, and in two at every place: the outcome must be the same. Returns it, and how many cuts. */
export function serveEveryWay(
  bytes: Uint8Array,
  options?: Http1Options,
  eof: boolean = false,
): { readonly seen: Seen; readonly cuts: number } {
  const whole = serve([bytes], options, eof)
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
  assert.deepEqual(serve(single, options, eof), whole, 'byte by byte')
  let cuts = 0
  for (const at of cutsOf(bytes.length)) {
    cuts += 1
    const seen = serve([bytes.subarray(0, at), bytes.subarray(at)], options, eof)
    assert.deepEqual(seen, whole, `cut at ${at}`)
  }
  return { seen: whole, cuts }
}

export const toBytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
export const join = concatBytes
