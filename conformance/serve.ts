// The server that the suite's fuzzing client talks to: it sends every message back.
import { serveHttp } from 'moorage/http'
import { websocket } from 'moorage/websocket'
import { COMPRESSION, RAISED } from './limits.js'

export async function serveEcho(authority: string): Promise<void> {
  const echo = websocket(
    async (peer) => {
      for await (const message of peer) await peer.send(message)
    },
    { ...RAISED, compression: COMPRESSION, origins: 'any' },
  )
  const server = await serveHttp(`http://${authority}`, echo)
  console.log(`an echo at ${server.endpoint.replace('http:', 'ws:')}; Ctrl-C ends`)
  await server.serveForever()
}
