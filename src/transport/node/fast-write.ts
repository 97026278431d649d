import type { Socket } from 'node:net'

/** What the system tells of a write that could not be done at once. */
interface WriteRequest {
  /** Need not be there. */
  oncomplete?: (this: WriteRequest, status: number) => void
  told?: WriteTold | undefined
  /** Kept until they are sent: nobody else does. */
  bytes?: Uint8Array | undefined
  /** Newer runtimes: set when it was done before `oncomplete` could be. */
  writeStatus?: number | null
}

/** The handle below a socket, as far as writing goes. None of it is documented; the probe of `fast-receive` checks it. */
interface WriteHandle {
  writeBuffer(request: WriteRequest | null, bytes: Uint8Array): unknown
  writeLatin1String(request: WriteRequest | null, text: string): unknown
  readonly writeQueueSize: number
}

/** Who is told when a write that was queued is over; `status` is below zero when it failed. */
export interface WriteTold {
  directWritten(status: number): void
}

/** Runtimes take the request from the caller, or make one when they need it. */
type Style = { readonly request: new () => WriteRequest } | { readonly request: undefined }

let style: Style | undefined

function onComplete(this: WriteRequest, status: number): void {
  const { told } = this
  this.told = undefined
  this.bytes = undefined
  told?.directWritten(status)
}

const handleOf = (socket: Socket): WriteHandle | null =>
  (socket as unknown as { readonly _handle: WriteHandle | null })._handle

/** Whether `writeDirect` may be used in this thread. */
export const writesDirectly = (): boolean => style !== undefined

/** What the system has not taken of all that was given to it; `undefined` when the socket is closed. */
export const queuedBytes = (socket: Socket): number | undefined => handleOf(socket)?.writeQueueSize

/**
 * Writes past the stream machinery, which takes longer than the rest of a small answer: `undefined` when that is not
 * possible now, 0 when the system has taken all of it, a negative number of an error, or how many bytes are queued: then
 * `told` hears when they are gone. Bytes behind them keep their order whichever way they are written.
 * A text is one of which each character is a byte.
 */
export function writeDirect(socket: Socket, data: Uint8Array | string, told: WriteTold): number | undefined {
  const handle = handleOf(socket)
  if (style === undefined || handle === null || socket.writableLength > 0 || socket.connecting) return undefined
  // A new one each time: one that the system holds back for a moment, with nothing left in its queue, is still in use.
  const request = style.request === undefined ? null : new style.request()
  const result = typeof data === 'string' ? handle.writeLatin1String(request, data) : handle.writeBuffer(request, data)
  const isNumber = typeof result === 'number'
  if (isNumber && (result !== 0 || request === null)) return result
  const queued = handle.writeQueueSize
  const waiting = isNumber ? request : (result as WriteRequest)
  if (waiting === null || queued === 0) return 0
  const { writeStatus: status } = waiting
  if (typeof status === 'number') return status
  waiting.oncomplete = onComplete
  waiting.told = told
  waiting.bytes = typeof data === 'string' ? undefined : data
  return queued
}

/** For the probe: learns how this runtime writes from one write of its own, made by `write`. */
export function learnDirectWrites(socket: Socket, write: () => void): void {
  const handle = handleOf(socket)
  if (handle === null || typeof handle.writeBuffer !== 'function' || typeof handle.writeLatin1String !== 'function')
    return
  if (handle.writeQueueSize !== 0) return
  const own = Object.hasOwn(handle, 'writeBuffer')
  // oxlint-disable-next-line typescript/unbound-method -- it is called with the handle below
  const { writeBuffer } = handle
  handle.writeBuffer = (request, bytes) => {
    const result = writeBuffer.call(handle, request, bytes)
    if (request === null) style = { request: undefined }
    else if (typeof request.constructor === 'function')
      style = { request: request.constructor as new () => WriteRequest }
    return result
  }
  try {
    write()
  } finally {
    if (own) handle.writeBuffer = writeBuffer
    else Reflect.deleteProperty(handle, 'writeBuffer')
  }
}

/** For the probe: what it learned did not work. */
export function forgetDirectWrites(): void {
  style = undefined
}
