import assert from 'node:assert/strict'
import { fromLatin1 } from '#src/base/ascii.js'
import { encodeField } from '#src/engine/http/fields.js'
import { ClientConnection } from '#src/engine/http1/client-connection.js'
import type { RequestStart } from '#src/engine/http1/encode-request.js'
import { ServerConnection } from '#src/engine/http1/server-connection.js'
import { readHttp1ClientOptions, readHttp1Options } from '#src/engine/http1/options.js'
import { latin1, toBytes } from './_requests.js'

export type Pairs = readonly (readonly [string, string])[]

export interface Body {
  readonly parts: readonly string[]
  /** `until-end` is for responses only, and makes them the last. */
  readonly framing: 'known' | 'chunked' | 'until-end'
  readonly trailers: Pairs
}

export interface Exchange {
  readonly request: Omit<RequestStart, 'bodyLength' | 'fields'> & { readonly fields: Pairs }
  readonly sent: Body
  readonly informational: readonly (readonly [status: number, fields: Pairs])[]
  readonly status: number
  readonly fields: Pairs
  readonly answered: Body
  readonly close: boolean
}

/** What one end saw of one message. */
export interface Seen {
  readonly first: string
  readonly fields: Pairs
  readonly interim: string[]
  body: string
  trailers: Pairs
  whole: boolean
}

const lines = (pairs: Pairs): string => pairs.map(([name, value]) => encodeField(name, value)).join('')
const lengthOf = ({ parts, framing }: Body): number | 'chunked' | 'until-end' =>
  framing === 'known' ? parts.join('').length : framing

/** The text of a body as it is sent, with what stands around its parts. */
function bodyText(engine: ClientConnection | ServerConnection, { parts, framing, trailers }: Body): string {
  let text = ''
  for (const part of parts) {
    const before = engine.data(part.length)
    if (before !== undefined) text += before + part + engine.dataEnd
  }
  return text + engine.end(framing === 'chunked' ? lines(trailers) : '')
}

/** Both ends of one connection, and what each of them sees. */
export class Pair {
  readonly client: ClientConnection = new ClientConnection(readHttp1ClientOptions(), latin1)
  readonly server: ServerConnection = new ServerConnection(readHttp1Options(), latin1)
  readonly requests: Seen[] = []
  readonly responses: Seen[] = []

  ask({ request, sent }: Exchange): string {
    const framing = sent.framing === 'until-end' ? 'chunked' : sent.framing
    const body = { ...sent, framing } as const
    const bodyLength = framing === 'chunked' ? framing : sent.parts.join('').length
    return (
      this.client.request({ ...request, bodyLength }) +
      (bodyLength === 0 ? this.client.end() : bodyText(this.client, body))
    )
  }

  answer({ informational, status, fields, answered, close }: Exchange): string {
    let text = ''
    for (const [early, more] of informational) text += this.server.inform(early, lines(more))
    text += this.server.respond({ status, fields: lines(fields), bodyLength: lengthOf(answered), close })
    return text + bodyText(this.server, answered)
  }

  /** Takes all events of the server; answers as it is told when a request is whole. */
  serve(pieces: readonly string[], answer: (index: number) => string): string {
    let text = ''
    for (const piece of pieces) {
      this.server.receive(toBytes(piece))
      for (
        let event = this.server.nextEvent();
        event.type !== 'need-data' && event.type !== 'end';
        event = this.server.nextEvent()
      ) {
        const last = this.requests.at(-1)
        if (event.type === 'request') {
          const { method, target, host, fields } = event
          this.requests.push(seenOf(`${method} ${target} ${host}`, fields))
        } else if (event.type === 'data') append(last, event.bytes)
        else if (event.type === 'message-end') {
          endOf(last, event.trailers)
          text += answer(this.requests.length - 1)
        } else assert.fail(event.type)
      }
    }
    return text
  }

  read(pieces: readonly string[], eof: boolean): void {
    const interim: string[] = []
    for (const piece of eof ? [...pieces, undefined] : pieces) {
      if (piece === undefined) this.client.receiveEof()
      else this.client.receive(toBytes(piece))
      for (
        let event = this.client.nextEvent();
        event.type !== 'need-data' && event.type !== 'end';
        event = this.client.nextEvent()
      ) {
        const last = this.responses.at(-1)
        if (event.type === 'interim') interim.push(`${event.status} ${JSON.stringify([...event.fields])}`)
        else if (event.type === 'response')
          this.responses.push({ ...seenOf(String(event.status), event.fields), interim })
        else if (event.type === 'data') append(last, event.bytes)
        else if (event.type === 'message-end') {
          endOf(last, event.trailers)
          // What is behind it is for another client.
          if (this.client.persists) return
        } else assert.fail(event.type)
      }
    }
  }
}

const seenOf = (first: string, fields: Iterable<readonly [string, string]>): Seen => ({
  first,
  fields: [...fields],
  interim: [],
  body: '',
  trailers: [],
  whole: false,
})

function append(seen: Seen | undefined, bytes: Uint8Array): void {
  assert.ok(seen !== undefined && !seen.whole)
  seen.body += fromLatin1(bytes)
}

function endOf(seen: Seen | undefined, trailers: Iterable<readonly [string, string]> = []): void {
  assert.ok(seen !== undefined && !seen.whole)
  seen.trailers = [...trailers]
  seen.whole = true
}
