import { drainController, drainReason } from '../draining.js'
import { errorCodeOf, messageOf } from '../../base/errors.js'
import type { Logger } from '../../base/logger.js'
import { HubLink } from '../../pubsub/link/hub-link.js'
import { installLink } from '../../pubsub/link/link.js'
import { formatAddress, type Address } from '../../transport/address.js'
import { AddressList } from '../../transport/node/address-list.js'
import { adoptedSocket } from '../../transport/node/handles.js'
import { fastReceiveWorks } from '../../transport/node/fast-receive.js'
import { AcceptedDescriptor, AcceptedSocket } from '../../transport/node/accepted-stream.js'
import { nativeStreams } from '../../transport/node/native-streams.js'
import type { RawStream } from '../../transport/raw-listener.js'
import { TlsServerContext } from '../../transport/node/tls-server-context.js'
import { StreamConnection } from '../../transport/stream-connection.js'
import { systemClock } from '../../transport/system-clock.js'
import { checkDatagramHandler, streamAdapter, type HandlerAdapter, type ServerContext } from '../handlers.js'
import { loadHandler } from '../load-handler.js'
import type { Outcome } from '../outcome.js'
import { StreamRunner } from '../stream-runner.js'
import { DatagramHost } from './datagram-host.js'
import { BridgedStream } from './bridged-stream.js'
import { toPlainError, type FromWorker, type ToWorker, type WorkerStart } from './messages.js'
import type { SharedHost } from './shared-host.js'

/** Runs handlers in a worker, over what its parent sends. */
export class WorkerHost {
  readonly #start: WorkerStart
  readonly #send: (message: FromWorker) => void
  readonly #disconnect: () => void
  readonly #link: HubLink
  readonly #draining = drainController()
  readonly #context: ServerContext
  readonly #bridged = new Map<number, BridgedStream>()
  #tls: TlsServerContext | undefined
  #runner: StreamRunner | undefined
  #bridgeRunner: StreamRunner | undefined
  #shared: SharedHost | undefined
  #datagrams: DatagramHost | undefined
  #handle: unknown
  #fast = false

  constructor(start: WorkerStart, send: (message: FromWorker) => void, disconnect: () => void) {
    this.#start = start
    this.#send = send
    this.#disconnect = disconnect
    this.#link = new HubLink((batch) => send({ type: 'pubsub', batch }))
    // Before the handler is loaded: its module may open a broker.
    installLink(this.#link)
    this.#context = {
      draining: this.#draining.signal,
      logger: messageLogger(send),
      data: start.data,
      worker: start.worker,
    }
  }

  async start(): Promise<void> {
    const { handler, connection, tls, handshakeTimeoutMs, proxyProtocol, trustedProxies, shared } = this.#start
    try {
      const source = await loadHandler(new URL(handler))
      if (this.#start.kind === 'datagram' && shared === undefined) {
        this.#datagrams = new DatagramHost(checkDatagramHandler(source), this.#start, this.#context, this.#send)
        this.#send({ type: 'ready', endpoint: undefined, local: undefined })
        return
      }
      if (shared !== undefined) {
        // A whole server: loaded only by workers that accept by themselves, so that the others start sooner.
        const { SharedHost } = await import('./shared-host.js')
        this.#shared = new SharedHost(
          source,
          await this.#adapter(),
          this.#start,
          shared,
          this.#context.logger,
          this.#send,
        )
        await this.#shared.start()
        if (this.#handle !== undefined) this.#shared.listenOn(this.#handle)
        return
      }
      const adapter = await this.#adapter()
      this.#tls = tls === undefined ? undefined : new TlsServerContext(tls)
      const runner = {
        handler: adapter.adapt(source, adapter.settings),
        context: this.#context,
        connection,
        clock: systemClock,
        events: {
          handled: () => undefined,
          failed: (error: unknown, { remote }: StreamConnection): void => {
            this.#send({ type: 'error', remote: formatAddress(remote), error: toPlainError(error) })
          },
          ended: (id: number, outcome: Outcome): void => this.#send({ type: 'ended', id, outcome }),
        },
      }
      const nothing = { tls: undefined, handshakeTimeoutMs, proxyProtocol: false, trustedProxies: new AddressList([]) }
      const preparation = {
        tls: this.#tls,
        handshakeTimeoutMs,
        proxyProtocol,
        trustedProxies: new AddressList(trustedProxies),
      }
      this.#runner = new StreamRunner({ ...runner, preparation })
      this.#bridgeRunner = new StreamRunner({ ...runner, preparation: nothing })
      this.#fast = await fastReceiveWorks('tcp')
      this.#send({ type: 'ready', endpoint: undefined, local: undefined })
    } catch (error) {
      this.#send({ type: 'unfit', code: errorCodeOf(error) ?? 'ERR_HANDLER_MODULE', message: messageOf(error) })
      this.#leave()
    }
  }

  async #adapter(): Promise<HandlerAdapter> {
    const { adapter } = this.#start
    if (adapter === undefined) return streamAdapter
    const module: { readonly adapter: HandlerAdapter } = await import(adapter.module)
    return { ...module.adapter, ...adapter }
  }

  receive(message: ToWorker, moved: unknown): void {
    switch (message.type) {
      case 'offer':
        this.#send({ type: 'want', id: message.id })
        return
      case 'stream':
        this.#take(message.id, message.remote, moved)
        return
      case 'descriptor':
        this.#copy(message.id, message.remote, message.descriptor)
        return
      case 'bridge': {
        const { id } = message
        const stream = new BridgedStream(message, this.#send, () => this.#bridged.delete(id))
        this.#bridged.set(id, stream)
        this.#bridgeRunner?.run(id, {
          remote: message.remote,
          local: message.local,
          socket: undefined,
          handle: undefined,
          open: (settings) => new StreamConnection(stream, settings),
          destroy: () => stream.destroy(),
        })
        return
      }
      case 'bytes':
      case 'credit':
      case 'end':
      case 'gone':
      case 'ended-writing':
        this.#bridged.get(message.id)?.receive(message)
        return
      case 'listen':
        // It can come before the handler is loaded.
        if (this.#shared === undefined) this.#handle = moved
        else this.#shared.listenOn(moved)
        return
      case 'datagrams':
        this.#datagrams?.receive(message.list)
        return
      case 'tls':
        this.#tls?.replace(message.options)
        this.#shared?.replaceTls(message.options)
        return
      case 'pubsub':
        this.#link.receive(message.batch)
        return
      case 'drain':
        void this.#drain(message.graceMs, message.restart)
        return
      case 'cut':
        this.#runner?.cut(message.why)
        this.#bridgeRunner?.cut(message.why)
        this.#shared?.cut()
        this.#datagrams?.cut()
        return
      default:
    }
  }

  #take(id: number, remote: Address, moved: unknown): void {
    this.#send({ type: 'taken', id })
    const socket = adoptedSocket(moved)
    if (socket === undefined) this.#refuse(id)
    else this.#runner?.run(id, new AcceptedSocket(socket, this.#fast, remote))
  }

  /** The parent closes its descriptor when it hears `taken`: the copy is made before. */
  #copy(id: number, remote: Address, descriptor: number): void {
    const streams = nativeStreams()
    let stream: RawStream | undefined
    try {
      if (streams !== undefined) stream = new AcceptedDescriptor(streams, descriptor, remote)
    } catch (error) {
      // No descriptor is left for the copy.
      this.#send({ type: 'error', remote: formatAddress(remote), error: toPlainError(error) })
    }
    this.#send({ type: 'taken', id })
    if (stream === undefined) this.#refuse(id)
    else this.#runner?.run(id, stream)
  }

  #refuse(id: number): void {
    this.#send({ type: 'ended', id, outcome: { bytesRead: 0, bytesWritten: 0, bytesUnsent: 0, failed: true } })
  }

  #leave(): void {
    this.#link.close()
    this.#disconnect()
  }

  async #drain(graceMs: number, restart: boolean): Promise<void> {
    this.#draining.abort(drainReason(restart))
    if (this.#shared !== undefined) {
      this.#send({ type: 'drained', report: await this.#shared.drain(graceMs, restart) })
    } else if (this.#datagrams !== undefined) {
      this.#send({ type: 'drained', report: await this.#datagrams.drain(graceMs) })
    } else {
      const reports = await Promise.all([this.#runner?.drain(graceMs), this.#bridgeRunner?.drain(graceMs)])
      for (const report of reports) if (report !== undefined) this.#send({ type: 'drained', report })
    }
    this.#leave()
  }
}

function messageLogger(send: (message: FromWorker) => void): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error'): Logger['info'] =>
    (message, fields = {}) => {
      const plain = Object.entries(fields).map(([name, value]) => [
        name,
        value instanceof Error ? toPlainError(value) : value,
      ])
      send({ type: 'log', level, message, fields: Object.fromEntries(plain) })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
