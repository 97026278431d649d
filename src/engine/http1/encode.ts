import { reasonOf } from '../http/status.js'
import type { BodyLength } from './message-head.js'

/** What a response begins with. */
export interface ResponseStart {
  readonly status: number
  /** Lines that `encodeField` made, one after the other. */
  readonly fields: string
  /** `'chunked'` when it is not known. */
  readonly bodyLength: BodyLength
  /** Ends the connection after this response. Default: false. */
  readonly close?: boolean
}

const statusLines = new Map<number, string>()

function statusLine(status: number): string {
  let line = statusLines.get(status)
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`
    statusLines.set(status, line)
  }
  return line
}

/** RFC 9112 §4, with the fields that say how the body is framed (§6) and `connection`, a line or nothing. */
export function encodeResponseHead({ status, fields, bodyLength }: ResponseStart, connection: string): string {
  return `${statusLine(status)}${fields}${lengthField(status, bodyLength)}${connection}\r\n`
}

/** RFC 9110 §8.6: none in answers that can have no body; of 304 the length is that of another response. */
function lengthField(status: number, length: BodyLength): string {
  if (status < 200 || status === 204 || status === 304) return ''
  if (typeof length === 'number') return `Content-Length: ${length}\r\n`
  return length === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : ''
}

/** RFC 9112 §7.1.2. `trailers` are lines that `encodeField` made. */
export const lastChunk = (trailers: string): string => `0\r\n${trailers}\r\n`
