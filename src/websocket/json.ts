import { ProtocolError } from '../base/errors.js'
import { INVALID_PAYLOAD, POLICY_VIOLATION } from '../engine/websocket/close.js'
import { HttpError } from '../http/response.js'
import { parseBySchema, type StandardSchema } from '../http/standard-schema.js'
import type { Message } from './outgoing.js'

/**
 * The messages of a peer or a client as values: parsed as JSON and, with a schema of valibot, zod or any other Standard
 * Schema, checked and typed by it.
 * @throws ProtocolError `ERR_WEBSOCKET_JSON` for a message that is none: a handler that lets it pass closes with 1007, or
 *   with 1008 where it is the schema that says no.
 * @example
 * for await (const move of jsonMessages(peer, Move)) game.apply(move)
 */
export function jsonMessages(messages: AsyncIterable<Message>): AsyncGenerator<unknown, void, undefined>
export function jsonMessages<Output>(
  messages: AsyncIterable<Message>,
  schema: StandardSchema<Output>,
): AsyncGenerator<Output, void, undefined>
export async function* jsonMessages(
  messages: AsyncIterable<Message>,
  schema?: StandardSchema,
): AsyncGenerator<unknown, void, undefined> {
  for await (const message of messages) yield await parseMessage(message, schema)
}

/** One message as a value. */
async function parseMessage(message: Message, schema?: StandardSchema): Promise<unknown> {
  if (typeof message !== 'string') throw notJson('it is binary', INVALID_PAYLOAD)
  let value: unknown
  try {
    value = JSON.parse(message)
  } catch (cause) {
    throw notJson('it is no JSON', INVALID_PAYLOAD, cause)
  }
  if (schema === undefined) return value
  try {
    return await parseBySchema(schema, value)
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    throw notJson(error.message === '' ? 'the schema does not take it' : error.message, POLICY_VIOLATION, error)
  }
}

const notJson = (why: string, closeCode: number, cause?: unknown): ProtocolError =>
  new ProtocolError('ERR_WEBSOCKET_JSON', `Cannot use a message: ${why}`, { cause, details: { closeCode } })
