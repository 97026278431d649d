import { fork, type ChildProcess, type SendHandle } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { MessageChannel, Worker } from 'node:worker_threads'
import { idleSocket } from '../../transport/node/handles.js'
import { tryLoadNative } from '../../transport/node/native.js'
import { descriptorOf } from '../../transport/node/native-streams.js'
import { errorCodeOf } from '../../base/errors.js'
import type { RawStream } from '../../transport/raw-listener.js'
import type { FromWorker, ToWorker, WorkerStart } from './messages.js'

/** A worker as its parent sees it. */
export interface WorkerPeer {
  /** How a stream gets there. `kept`: it is handed over and the parent's copy stays open until it is acknowledged. */
  transferOf(stream: RawStream): 'moved' | 'kept' | 'bridged'
  send(message: ToWorker): void
  sendStream(id: number, stream: RawStream): void
  /** Hands over a bound handle to listen on; to a process only. */
  sendHandle(handle: object): void
  /** From 0 (idle) up; 1 and more is a worker whose loop does not come round. */
  load(): number
  /** Ends it now. */
  kill(): void
  ref(): void
  unref(): void
}

export interface WorkerPeerEvents {
  message(message: FromWorker): void
  /** Once, last: why, in words. */
  exit(why: string): void
}

const ENTRY = new URL('./worker-entry.js', import.meta.url)
/** A utilisation over less than this says little. */
const LOAD_SAMPLE_MS = 2

let movable: boolean | undefined

/** Bridging is chosen by `MOORAGE_MOVE_SOCKETS=off`, for tests and for comparing. */
const mayMove = (): boolean => process.env['MOORAGE_MOVE_SOCKETS'] !== 'off'

/** Whether this runtime can move a TCP socket to another thread (Node 26.6 and newer): asked of the runtime itself. */
function canMoveSockets(): boolean {
  if (movable === undefined) {
    const { port1, port2 } = new MessageChannel()
    const socket = idleSocket()
    try {
      port1.postMessage(socket, [socket as never])
      movable = true
    } catch (error) {
      // A runtime that knows sockets refuses this one for having no handle; one that does not cannot clone it.
      movable = errorCodeOf(error) === 'ERR_WORKER_HANDLE_NOT_TRANSFERABLE'
    }
    socket.destroy()
    port1.close()
    port2.close()
  }
  return movable
}

export function startThread(start: WorkerStart, maxHeapBytes: number, events: WorkerPeerEvents): WorkerPeer {
  const worker = new Worker(ENTRY, {
    workerData: start,
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(maxHeapBytes / 1024 / 1024) },
    name: `moorage-${start.worker}`,
  })
  // The addon reads descriptors, which threads share.
  const describes = tryLoadNative() !== undefined
  let why = 'it ended'
  worker.on('message', (message: FromWorker) => events.message(message))
  worker.on('messageerror', (error) => {
    why = error.message
  })
  worker.on('error', (error) => {
    why = error instanceof Error ? error.message : String(error)
  })
  worker.on('exit', (code) => events.exit(`${why} (exit code ${code})`))
  let sample = worker.performance.eventLoopUtilization()
  let sampledAt = performance.now()
  let load = 0
  return {
    transferOf(stream) {
      if (!mayMove() || stream.handle === undefined) return 'bridged'
      if (describes && descriptorOf(stream.handle) !== undefined) return 'kept'
      return stream.remote.kind === 'ip' && canMoveSockets() ? 'moved' : 'bridged'
    },
    send: (message) => worker.postMessage(message),
    sendStream(id, stream) {
      const { remote } = stream
      const descriptor = describes ? descriptorOf(stream.handle) : undefined
      if (descriptor !== undefined) {
        worker.postMessage({ type: 'descriptor', id, remote, descriptor } satisfies ToWorker)
        return
      }
      const { socket } = stream
      const message: ToWorker = { type: 'stream', id, remote, moved: socket }
      worker.postMessage(message, [socket as never])
    },
    sendHandle: () => undefined,
    load() {
      const now = performance.now()
      if (now - sampledAt >= LOAD_SAMPLE_MS) {
        const current = worker.performance.eventLoopUtilization()
        load = worker.performance.eventLoopUtilization(current, sample).utilization
        sample = current
        sampledAt = now
      }
      return load
    },
    kill: () => void worker.terminate(),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
  }
}

/** What a process is given that its command line would show or its environment would leak: nothing; all comes by message. */
export function startProcess(start: WorkerStart, events: WorkerPeerEvents): WorkerPeer {
  const child = fork(fileURLToPath(ENTRY), [], {
    serialization: 'advanced',
    execArgv: process.execArgv.filter(
      (argument) => !argument.startsWith('--inspect') && !argument.startsWith('--test'),
    ),
    env: { ...process.env, MOORAGE_WORKER: 'process' },
  })
  let ended = false
  const exit = (why: string): void => {
    if (ended) return
    ended = true
    events.exit(why)
  }
  child.on('message', (message: FromWorker) => events.message(message))
  child.on('error', (error) => exit(error.message))
  child.on('exit', (code, signal) =>
    exit(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`),
  )
  const send = (message: ToWorker, handle?: SendHandle): void => sendTo(child, message, handle)
  send({ type: 'start', start })
  return {
    transferOf: ({ handle }) => (handle === undefined ? 'bridged' : 'kept'),
    send,
    sendStream(id, { remote, handle }) {
      send({ type: 'stream', id, remote, moved: undefined }, handle as SendHandle | undefined)
    },
    sendHandle: (handle) => send({ type: 'listen', moved: undefined }, handle as SendHandle),
    load: () => 0,
    kill: () => void child.kill('SIGKILL'),
    ref() {
      child.ref()
      child.channel?.ref()
    },
    unref() {
      child.unref()
      child.channel?.unref()
    },
  }
}

/** A channel that is closed is one whose process is ending: its exit will tell, and what was sent goes elsewhere. */
function sendTo(child: ChildProcess, message: ToWorker, handle: SendHandle | undefined): void {
  if (!child.connected) return
  if (handle === undefined) child.send(message, () => undefined)
  else child.send(message, handle, () => undefined)
}
