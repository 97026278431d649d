import { fileURLToPath } from 'node:url'
import { formatAddress } from 'moorage'
import { HttpError, Routes, withFields, type HttpFunction } from 'moorage/http'
import { files } from 'moorage/static'
import { websocket, type Message, type WebSocketPeer } from 'moorage/websocket'
import type { RemoteControlConfig } from './allow-list.js'
import { Control, MAX_REQUEST_BYTES, parseObject, parseRequest, REQUEST_TIMEOUT_MS } from './control.js'

const PAGE = fileURLToPath(new URL('../../../examples/remote-control/page/', import.meta.url))
const MAX_PEERS = 16
/** The rules were broken: the token is wrong, or there was none in time. */
const REFUSED = 1008
/** Nothing from elsewhere runs in the page, and no other page shows it in a frame. */
const POLICY = {
  'Content-Security-Policy': "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Referrer-Policy': 'no-referrer',
}

/**
 * The page of remote control, and its WebSocket. The first message is `{"token":"…"}`, or `{}` of who shows a verified
 * certificate, and is answered with the list of commands. Each after it is `{"command":"…","args":[…]}`, answered as over
 * TCP; one runs at a time. Closing the WebSocket ends what runs.
 */
export function controlPage(config: RemoteControlConfig): HttpFunction {
  const commands = Object.entries(config.commands).map(([name, { parameters = [] }]) => ({ name, parameters }))
  const socket = websocket(
    async (peer, { tls }) => {
      const left = new AbortController()
      const control = new Control(config, {
        remote: formatAddress(peer.remote),
        tls,
        left: left.signal,
        send: async (answer) => void (await peer.send(JSON.stringify(answer))),
      })
      if (!(await enter(peer, control))) return
      await peer.send(JSON.stringify({ commands }))
      await obey(peer, control, left)
    },
    { maxMessageBytes: MAX_REQUEST_BYTES },
  )
  const page = files(PAGE, { listing: false })
  const routes = new Routes()
    .get('/socket', (request, server) => {
      if (socket.peers() >= MAX_PEERS) throw new HttpError(503)
      return socket(request, server)
    })
    .get('/*', (request, server) => page.handle(request, server))
  return withFields((request, server) => routes.handle(request, server), POLICY)
}

async function enter(peer: WebSocketPeer, control: Control): Promise<boolean> {
  const giveUp = setTimeout(() => void peer.close(REFUSED, 'no token came in time'), REQUEST_TIMEOUT_MS)
  const message = await peer.receive().finally(() => clearTimeout(giveUp))
  if (message === null) return false
  const { token } = (typeof message === 'string' ? parseObject(message) : undefined) ?? {}
  if (await control.admit(typeof token === 'string' ? token : undefined)) return true
  await peer.close(REFUSED, 'refused')
  return false
}

/** Reads on while a program runs: that the client leaves is heard at once, and ends it. */
async function obey(peer: WebSocketPeer, control: Control, left: AbortController): Promise<void> {
  let running: Promise<void> | undefined
  const run = async (message: Message): Promise<void> => {
    const request = parseRequest(typeof message === 'string' ? message : '')
    try {
      await (typeof request === 'string' ? control.refuse(request) : control.run(request))
    } catch (error) {
      peer.destroy(error)
    } finally {
      running = undefined
    }
  }
  try {
    for await (const message of peer) {
      if (running === undefined) running = run(message)
      else await control.refuse('a command is running: one at a time')
    }
  } finally {
    left.abort()
    await running
  }
}
