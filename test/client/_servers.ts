import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Session } from '#src/client/session.js'
import type { SessionOptions } from '#src/client/session-options.js'
import type { HttpFunction, HttpHandlerObject } from '#src/http/index.js'
import { serveHttp } from '#src/http/server.js'

export async function serving(t: TestContext, handler: HttpFunction | HttpHandlerObject): Promise<string> {
  const server = await serveHttp('http://127.0.0.1:0', handler)
  t.after(() => server.close({ graceMs: 0 }))
  assert.equal(server.local.kind, 'ip')
  return `http://127.0.0.1:${server.local.kind === 'ip' ? server.local.port : 0}`
}

export function session(t: TestContext, options: SessionOptions = {}): Session {
  const made = new Session({ proxy: false, retries: 0, ...options })
  t.after(() => made.destroy())
  return made
}

/** A server that answers each connection as it is told, in bytes. */
export async function raw(t: TestContext, answer: (socket: Socket, count: number) => void): Promise<string> {
  let count = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    answer(socket, (count += 1))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
}
