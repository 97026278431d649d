import { randomUUID } from 'node:crypto'
import { isToken } from '../engine/http/characters.js'
import { around, toHttpFunction, type HttpFunction, type HttpHandlerSource } from './handlers.js'
import { withAnswers } from './wrapping.js'

export interface RequestIds {
  /** The field that carries it. Default: `X-Request-Id`. */
  readonly field?: string
  /** Takes the one that the client sent, for servers behind a proxy of yours. Default: false. */
  readonly trust?: boolean
}

/** Longer ones are not taken over from a client. */
const MAX_ID_LENGTH = 128

/** Gives each request an id: `request.id` for the handler and the access log within, and a field of every answer. */
export function withRequestIds(source: HttpHandlerSource, options?: RequestIds): HttpFunction {
  const handler = toHttpFunction(source)
  const { field = 'X-Request-Id', trust = false } = options ?? {}
  return around(handler, (request, server) => {
    const given = trust ? request.headers.get(field) : undefined
    const id = given !== undefined && given.length <= MAX_ID_LENGTH && isToken(given) ? given : randomUUID()
    return withAnswers(handler, request.from({ id }), server, [[field, id]])
  })
}
