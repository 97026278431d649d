import { fileURLToPath } from 'node:url'
import { json, Routes, withFields, type HttpFunction } from 'moorage/http'
import { files } from 'moorage/static'
import { websocket } from 'moorage/websocket'
import { MAX_CLIENT_MESSAGE_BYTES } from './rules/client-messages.js'
import type { Game } from './server.js'

const PAGE = fileURLToPath(new URL('../../../examples/game/page/', import.meta.url))
/** The page plays by the very code that the server runs. */
const RULES = fileURLToPath(new URL('./rules/', import.meta.url))
const MAX_NAME_LENGTH = 16
const POLICY = { 'Content-Security-Policy': "default-src 'self'; connect-src 'self' ws: wss:" }

/** The page, the rules, the WebSocket and what the ticks took, all on one port. */
export function gameHandler(game: Game): HttpFunction {
  const socket = websocket((peer, { query }) => game.play(peer, toName(query.get('name') ?? '')), {
    maxMessageBytes: MAX_CLIENT_MESSAGE_BYTES,
    // What is newest is all that matters; `Game` begins anew with whom it was not all sent to.
    slowReader: 'latest',
  })
  const routes = new Routes()
    .get('/socket', socket)
    .get('/report', ({ query }) =>
      json({ ...game.report(Number(query.get('ticks') ?? Infinity)), messages: socket.counts() }),
    )
    .mount('/rules', files(RULES, { listing: false }))
    .mount('/', files(PAGE, { listing: false }))
  return withFields((request, server) => routes.handle(request, server), POLICY)
}

/** Letters, digits and little else, so that names look like names. */
const toName = (given: string): string => {
  const name = given.replaceAll(/[^\p{L}\p{N} _.-]/gu, '').trim()
  return Array.from(name).slice(0, MAX_NAME_LENGTH).join('') || 'nobody'
}
