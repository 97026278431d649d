import type { Clock } from '../../base/clock.js'
import { NetError } from '../../base/errors.js'
import { readOptions } from '../../base/options.js'
import type { MemoryAddress } from '../address.js'
import type { ConnectionSettings } from '../connection-options.js'
import type { MemoryEndpoint } from '../endpoint.js'
import type { RawListener, RawListenerEvents } from '../raw-listener.js'
import { StreamConnection } from '../stream-connection.js'
import { systemClock } from '../system-clock.js'
import { MemoryDatagrams, type MemoryDatagramSettings } from './datagrams.js'
import { NETWORK_OPTIONS, type NetworkOptions, type NetworkSettings } from './network-options.js'
import { seededRandom, type Random } from './random.js'
import { MemoryStream } from './stream.js'

/**
 * A network inside this thread: no descriptor, no port, and, with a `FakeClock`, no waiting. Whole servers and clients
 * run in it. Endpoints are `memory:name`; give the network as the option `network` of `listen`, `connect` and `serve`
 * (the default is one for the whole thread, without faults).
 */
export class MemoryNetwork {
  readonly settings: NetworkSettings
  readonly clock: Clock
  readonly random: Random
  readonly #listeners = new Map<string, MemoryListener>()
  readonly #datagrams = new Map<string, MemoryDatagrams>()
  #clients = 0

  constructor(options?: NetworkOptions, clock: Clock = systemClock) {
    this.settings = readOptions('MemoryNetwork', NETWORK_OPTIONS, options)
    this.clock = clock
    this.random = seededRandom(this.settings.seed)
  }

  /** @throws NetError `ERR_ADDRESS_IN_USE`. */
  listen(endpoint: MemoryEndpoint, events: RawListenerEvents): RawListener {
    const { name } = endpoint
    if (this.#listeners.has(name)) {
      throw new NetError(
        'ERR_ADDRESS_IN_USE',
        `Cannot listen on memory:${name}: another listener of this network is there`,
      )
    }
    const listener = new MemoryListener(endpoint, events, () => this.#listeners.delete(name))
    this.#listeners.set(name, listener)
    return listener
  }

  /** A datagram socket of that name. @throws NetError `ERR_ADDRESS_IN_USE`. */
  bindDatagrams({ name }: MemoryEndpoint, settings: MemoryDatagramSettings): MemoryDatagrams {
    if (this.#datagrams.has(name)) {
      throw new NetError(
        'ERR_ADDRESS_IN_USE',
        `Cannot receive datagrams on memory:${name}: another socket of this network is there`,
      )
    }
    return this.#addDatagrams(name, undefined, settings)
  }

  /** A datagram socket with one peer, which need not be there yet. */
  connectDatagrams({ name }: MemoryEndpoint, settings: MemoryDatagramSettings): MemoryDatagrams {
    this.#clients += 1
    return this.#addDatagrams(`client-${this.#clients}`, { kind: 'memory', name }, settings)
  }

  #addDatagrams(name: string, remote: MemoryAddress | undefined, settings: MemoryDatagramSettings): MemoryDatagrams {
    const local: MemoryAddress = { kind: 'memory', name }
    const driver = new MemoryDatagrams(this, local, remote, settings, () => this.#datagrams.delete(name))
    this.#datagrams.set(name, driver)
    return driver
  }

  /** The socket that receives what is sent to that name. */
  datagramsAt(name: string): MemoryDatagrams | undefined {
    return this.#datagrams.get(name)
  }

  /** @throws NetError `ERR_CONNECT`. */
  connect({ name }: MemoryEndpoint, settings: ConnectionSettings): StreamConnection {
    const listener = this.#listeners.get(name)
    if (listener === undefined) {
      const attempts = [{ address: `memory:${name}`, reason: 'nobody listens there' }]
      throw new NetError('ERR_CONNECT', `Cannot connect to memory:${name}: nobody listens there`, {
        details: { attempts },
      })
    }
    this.#clients += 1
    const client: MemoryAddress = { kind: 'memory', name: `client-${this.#clients}` }
    const link = {
      clock: this.clock,
      random: this.random,
      settings: this.settings,
      highWaterBytes: settings.writeHighWaterBytes,
    }
    const [near, far] = MemoryStream.pair(client, listener.local, link)
    this.clock.soon(() => listener.offer(far))
    return new StreamConnection(near, settings)
  }
}

class MemoryListener implements RawListener {
  readonly endpoint: MemoryEndpoint
  readonly local: MemoryAddress
  readonly descriptor: undefined
  readonly #events: RawListenerEvents
  readonly #forget: () => void
  #closed = false

  constructor(endpoint: MemoryEndpoint, events: RawListenerEvents, forget: () => void) {
    this.endpoint = endpoint
    this.local = { kind: 'memory', name: endpoint.name }
    this.#events = events
    this.#forget = forget
  }

  offer(stream: MemoryStream): void {
    if (this.#closed) {
      stream.destroy()
      return
    }
    this.#events.accepted({
      remote: stream.remote,
      local: this.local,
      socket: undefined,
      handle: undefined,
      open: (settings) => new StreamConnection(stream, settings),
      destroy: () => stream.destroy(),
    })
  }

  close(): Promise<void> {
    this.#closed = true
    this.#forget()
    return Promise.resolve()
  }

  /** A listener in memory keeps no process alive. */
  ref(): void {}

  unref(): void {}
}

/** The network of `memory:` endpoints when none is given. */
export const defaultNetwork: MemoryNetwork = new MemoryNetwork()
