import { HeadFields, type Fields, type FieldSpans } from '../http/fields.js'

/** How long a body is: so many bytes, in chunks, or up to the end of the connection (of responses only). */
export type BodyLength = number | 'chunked' | 'until-end'

/** A request as it was read, without its body. Strings are cut out of it when they are asked for. */
export class RequestHead {
  readonly type = 'request' as const
  readonly method: string
  readonly target: string
  /** Of HTTP/1: 0 or 1. */
  readonly minorVersion: number
  readonly bodyLength: BodyLength
  /** Whether the client can take another response on this connection after this one. */
  readonly keepAlive: boolean
  /** The client waits for 100 (Continue) before it sends the body. */
  readonly expectsContinue: boolean
  /** What it would like to go on with, in lower case: `websocket`. Empty when it would not. */
  readonly upgrade: string
  /** The value of the Host field, or the authority of an absolute target; '' when there is none. */
  readonly host: string
  readonly #text: string
  readonly #spans: FieldSpans
  #fields: HeadFields | undefined

  constructor(text: string, spans: FieldSpans, method: string, target: string, facts: RequestFacts) {
    this.#text = text
    this.#spans = spans
    this.method = method
    this.target = target
    this.minorVersion = facts.minorVersion
    this.bodyLength = facts.bodyLength
    this.keepAlive = facts.keepAlive
    this.expectsContinue = facts.expectsContinue
    this.upgrade = facts.upgrade
    this.host = facts.host
  }

  get fields(): Fields {
    this.#fields ??= new HeadFields(this.#text, this.#spans)
    return this.#fields
  }
}

/** What the fields of a request say of how it is read, and of what follows. */
export interface RequestFacts {
  readonly minorVersion: number
  readonly bodyLength: BodyLength
  readonly keepAlive: boolean
  readonly expectsContinue: boolean
  readonly upgrade: string
  readonly host: string
}

/** A response as it was read, without its body. */
export class ResponseHead {
  /** `interim` for those that come before the one that the request is answered with: 100, 103. They have no end of their own. */
  readonly type: 'response' | 'interim'
  readonly status: number
  readonly reason: string
  readonly minorVersion: number
  readonly bodyLength: BodyLength
  readonly keepAlive: boolean
  readonly fields: Fields

  get httpVersion(): string {
    return `1.${this.minorVersion}`
  }

  constructor(text: string, spans: FieldSpans, facts: ResponseFacts) {
    this.type = facts.status < 200 && facts.status !== 101 ? 'interim' : 'response'
    this.status = facts.status
    this.reason = facts.reason
    this.minorVersion = facts.minorVersion
    this.bodyLength = facts.bodyLength
    this.keepAlive = facts.keepAlive
    this.fields = new HeadFields(text, spans)
  }
}

export interface ResponseFacts {
  readonly status: number
  readonly reason: string
  readonly minorVersion: number
  readonly bodyLength: BodyLength
  readonly keepAlive: boolean
}
