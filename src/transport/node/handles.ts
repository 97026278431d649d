import { createServer, Socket, type Server } from 'node:net'
import { NetError } from '../../base/errors.js'

/** The native handle below a socket: what travels to another process, and can stay open here meanwhile. */
export function handleOf(owner: Socket): object | undefined {
  const { _handle: handle } = owner as unknown as { readonly _handle: object | null }
  return handle ?? undefined
}

/** A socket around a native handle that came from another process, or the socket that came from another thread; unread. */
export function adoptedSocket(moved: unknown): Socket | undefined {
  if (moved instanceof Socket) return moved
  if (typeof moved !== 'object' || moved === null) return undefined
  const options: { readonly handle: object; readonly allowHalfOpen: true; readonly pauseOnCreate: true } = {
    handle: moved,
    allowHalfOpen: true,
    pauseOnCreate: true,
  }
  return new Socket(options)
}

/** A socket that is connected to nothing, to ask the runtime what it can do with sockets. */
export const idleSocket = (): Socket => new Socket()

/** A server that listens on the bound handle of another process. Whoever takes it attaches before the next turn. */
export function serverOnHandle(handle: unknown): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new NetError('ERR_LISTEN', `Cannot listen on the handle of the parent: ${cause.message}`, { cause })),
    )
    server.listen(handle, () => resolve(server))
  })
}
