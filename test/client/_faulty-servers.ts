import { once } from 'node:events'
import { connect as dial, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from 'node:tls'
import type { TestContext } from 'node:test'
import { freePort } from '../fixtures/free-port.js'
import { certificate, type Made } from './_certificates.js'
import { raw } from './_servers.js'

/** A server that does this with every connection. */
export const doing = (t: TestContext, act: (socket: Socket) => void): Promise<string> => raw(t, act)

/** A server that does this when the first bytes of a request have come. */
export const answering = (t: TestContext, act: (socket: Socket) => void): Promise<string> =>
  raw(t, (socket) => void socket.once('data', () => act(socket)))

/** A server that sends these bytes for each request, and ends. */
export const sending = (t: TestContext, bytes: string | Uint8Array): Promise<string> =>
  answering(t, (socket) => void socket.end(bytes))

export const response = (fields: readonly string[], body: string | Uint8Array = ''): Buffer =>
  Buffer.concat([Buffer.from(['HTTP/1.1 200 OK', ...fields, '', ''].join('\r\n')), Buffer.from(body)])

/** Resets behind these bytes, when they are with the peer. */
export function sendAndReset(socket: Socket, bytes: string): void {
  socket.write(bytes, () => setImmediate(() => socket.resetAndDestroy()))
}

export const nobody = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`

/** A TLS server that answers requests with `ok`, or does what is given. */
export async function securing(
  t: TestContext,
  options: TlsOptions,
  act: (socket: TLSSocket) => void = (socket) => void socket.once('data', () => socket.end(response([], 'ok'))),
): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createTlsServer(options, (socket) => {
    socket.on('error', () => socket.destroy())
    act(socket)
  })
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return listening(t, server, sockets)
}

/** A server that secures a connection, and speaks another protocol beneath: for what TLS refuses. */
export async function withoutTls(t: TestContext, act: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    act(socket)
  })
  return listening(t, server, sockets)
}

async function listening(t: TestContext, server: Server, sockets: ReadonlySet<Socket>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return `https://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`
}

let right: Promise<Made> | undefined

/** A certificate with which nothing is wrong, for whoever trusts it. */
export const rightCertificate = (): Promise<Made> => (right ??= certificate())

/** Who speaks TLS is served by TLS, and who does not is told of it by plain HTTP, at the same port. */
export async function likeNginx(t: TestContext): Promise<string> {
  const { cert, key } = await rightCertificate()
  const { port } = new URL(await securing(t, { cert, key }))
  return raw(
    t,
    (socket) =>
      void socket.once('data', (bytes: Uint8Array) => {
        if (bytes[0] !== 0x16) {
          const said = 'The plain HTTP request was sent to HTTPS port'
          socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Length: ${said.length}\r\nConnection: close\r\n\r\n${said}`)
          return
        }
        const inner = dial(Number(port), '127.0.0.1')
        inner.on('error', () => socket.destroy())
        socket.on('close', () => inner.destroy())
        inner.write(bytes)
        socket.pipe(inner).pipe(socket)
      }),
  )
}
