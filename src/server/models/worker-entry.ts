import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import type { FromWorker, ToWorker, WorkerStart } from './messages.js'
import { WorkerHost } from './worker-host.js'

// What a worker thread or process runs: it reads messages and hands them to a host. The host does the work.

/** The handle of a socket or server, as it comes over the channel of a process. */
function runInProcess(): void {
  const send = (message: FromWorker): void => {
    if (process.connected) process.send?.(message, () => undefined)
  }
  // The terminal sends its signals to every process of the group; this one obeys its parent alone.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => undefined)
  let host: WorkerHost | undefined
  process.on('message', (message: ToWorker, handle: unknown) => {
    if (message.type === 'start') {
      host = new WorkerHost(message.start, send, () => process.disconnect())
      void host.start()
    } else {
      host?.receive(message, handle)
    }
  })
  process.on('disconnect', () => process.exit(0))
}

function runInThread(port: NonNullable<typeof parentPort>): void {
  const start: WorkerStart = workerData
  const host = new WorkerHost(
    start,
    (message) => port.postMessage(message),
    () => port.close(),
  )
  port.on('message', (message: ToWorker) => host.receive(message, 'moved' in message ? message.moved : undefined))
  void host.start()
}

if (parentPort !== null && !isMainThread) runInThread(parentPort)
else runInProcess()
