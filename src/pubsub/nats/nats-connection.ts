import type * as JetStream from '@nats-io/jetstream'
import type * as Nats from '@nats-io/transport-node'
import { BrokenError, messageOf, MoorageError } from '../../base/errors.js'
import { brokerAway, brokerFull, brokerRefuses, packageMissing } from '../remote/broker-errors.js'
import type { NatsAddress } from './nats-url.js'

/** A message of a stream: the last one of its subject is a record that can be compared and set. */
export interface Stored {
  readonly subject: string
  readonly seq: number
  readonly data: Uint8Array
}

export interface StreamWish {
  readonly name: string
  readonly subjects: readonly string[]
  /** What is stored is told there again, with its place in the stream. */
  readonly tells?: { readonly src: string; readonly dest: string }
  /** Default: for ever. */
  readonly maxAgeMs?: number
  readonly maxPerSubject: number
  readonly maxMessages: number
  readonly maxBytes: number
}

export type Heard = (subject: string, data: Uint8Array, seq: number) => void

interface Packages {
  readonly nats: typeof Nats
  readonly jetstream: typeof JetStream
}

const CONNECT_MS = 5000
const ANSWER_MS = 5000
/** What JetStream says of a record that is not the one that was expected. */
const WRONG_LAST_SEQUENCE = 10_071
/** What there is no room for, in memory, on disk or by the limits of an account. */
const FULL = new Set([10_023, 10_028, 10_047, 10_077])
/** In a millisecond. */
const NANOSECONDS = 1_000_000
const STREAM_NOT_FOUND = 10_059
/** Somebody else has made it meanwhile: it has that name, or those subjects. */
const MADE_BY_ANOTHER = new Set([10_058, 10_065])
const PURGE_ALL = Number.MAX_SAFE_INTEGER

async function loadPackages(shown: string): Promise<Packages> {
  try {
    const [nats, jetstream] = await Promise.all([import('@nats-io/transport-node'), import('@nats-io/jetstream')])
    return { nats, jetstream }
  } catch (error) {
    throw packageMissing(shown, '@nats-io/transport-node @nats-io/jetstream', error)
  }
}

/** One connection to NATS, until it breaks. */
export class NatsConnection {
  readonly #address: NatsAddress
  readonly #nc: Nats.NatsConnection
  readonly #js: JetStream.JetStreamClient
  readonly #jsm: JetStream.JetStreamManager
  /** A server alone is another one behind each restart; several keep among them what they have acknowledged. */
  readonly serverRun: string
  readonly maxPayloadBytes: number

  private constructor(
    address: NatsAddress,
    nc: Nats.NatsConnection,
    packages: Packages,
    jsm: JetStream.JetStreamManager,
  ) {
    this.#address = address
    this.#nc = nc
    this.#js = packages.jetstream.jetstream(nc, { timeout: ANSWER_MS })
    this.#jsm = jsm
    const { info } = nc
    this.serverRun = info?.cluster === undefined ? (info?.server_id ?? 'unknown') : 'cluster'
    this.maxPayloadBytes = info?.max_payload ?? 1024 * 1024
  }

  /** `ended` is called once when it breaks, however it does. @throws UsageError, BrokenError, LimitError. */
  static async open(address: NatsAddress, ended: () => void): Promise<NatsConnection> {
    const packages = await loadPackages(address.shown)
    const { server, isSecure, user, password, token } = address
    let nc: Nats.NatsConnection | undefined
    try {
      nc = await packages.nats.connect({
        servers: server,
        // Made anew by ourselves: what was asked is asked again then, in order.
        reconnect: false,
        timeout: CONNECT_MS,
        noAsyncTraces: true,
        ignoreClusterUpdates: true,
        ...(isSecure ? { tls: {} } : {}),
        ...(user === undefined ? {} : { user }),
        ...(password === undefined ? {} : { pass: password }),
        ...(token === undefined ? {} : { token }),
      })
      const jsm = await packages.jetstream.jetstreamManager(nc, { timeout: ANSWER_MS })
      void nc.closed().then(ended)
      return new NatsConnection(address, nc, packages, jsm)
    } catch (error) {
      await nc?.close()
      throw toBrokerError(address.shown, error)
    }
  }

  /** Makes the stream when nobody has; one that is there keeps its limits. */
  async ensureStream({
    name,
    subjects,
    tells,
    maxPerSubject,
    maxMessages,
    maxBytes,
    maxAgeMs = 0,
  }: StreamWish): Promise<void> {
    const { storage, replicas } = this.#address
    await this.#asked(async () => {
      try {
        await this.#jsm.streams.info(name)
      } catch (error) {
        if (errorCode(error) !== STREAM_NOT_FOUND) throw error
        await this.#add({
          name,
          subjects: [...subjects],
          storage,
          num_replicas: replicas,
          max_msgs_per_subject: maxPerSubject,
          max_msgs: maxMessages,
          max_bytes: maxBytes,
          ...(tells === undefined ? {} : { republish: tells }),
          max_age: maxAgeMs * NANOSECONDS,
          allow_direct: true,
          deny_delete: false,
        })
      }
    })
  }

  /** While two make the same stream, one of them may be told of the other's in several ways: what counts is that it is there. */
  async #add(config: Parameters<JetStream.JetStreamManager['streams']['add']>[0]): Promise<void> {
    try {
      await this.#jsm.streams.add(config)
    } catch (error) {
      const code = errorCode(error)
      if (code === undefined || !MADE_BY_ANOTHER.has(code) || !(await this.#isThere(config.name))) throw error
    }
  }

  async #isThere(name: string): Promise<boolean> {
    for (let tries = 0; tries < 20; tries += 1) {
      try {
        await this.#jsm.streams.info(name)
        return true
      } catch (error) {
        if (errorCode(error) !== STREAM_NOT_FOUND) throw error
        await new Promise<void>((resolve) => {
          setTimeout(resolve, 50)
        })
      }
    }
    return false
  }

  /** The record of a subject. */
  async last(stream: string, subject: string): Promise<Stored | undefined> {
    return this.#asked(async () => {
      const found = await this.#jsm.streams.getMessage(stream, { last_by_subj: subject })
      return found === null ? undefined : { subject, seq: found.seq, data: found.data }
    })
  }

  /** The first message of a subject from a place on. */
  async next(stream: string, subject: string, from: number): Promise<Stored | undefined> {
    return this.#asked(async () => {
      const found = await this.#jsm.direct.getMessage(stream, { seq: from, next_by_subj: subject })
      return found === null ? undefined : { subject, seq: found.seq, data: found.data }
    })
  }

  /** Sets the record of a subject whose place was `expected` (0: none). `undefined` when it was another one. */
  async set(subject: string, data: Uint8Array, expected: number): Promise<number | undefined> {
    return this.#asked(async () => {
      try {
        const ack = await this.#js.publish(subject, data, {
          expect: { lastSubjectSequence: expected },
          timeout: ANSWER_MS,
          // A stream that somebody made just now may not listen yet.
          retries: 8,
        })
        return ack.seq
      } catch (error) {
        if (errorCode(error) === WRONG_LAST_SEQUENCE) return undefined
        throw error
      }
    })
  }

  /** All messages of a subject from a place on, the oldest first. */
  async read(stream: string, subject: string, from: number, take: (stored: Stored) => void): Promise<void> {
    await this.#asked(async () => {
      const info = await this.#jsm.consumers.add(stream, {
        filter_subject: subject,
        deliver_policy: 'by_start_sequence',
        opt_start_seq: Math.max(1, from),
        ack_policy: 'none',
        mem_storage: true,
        inactive_threshold: 30_000_000_000,
      })
      try {
        let left = info.num_pending
        if (left === 0) return
        const consumer = await this.#js.consumers.get(stream, info.name)
        while (left > 0) {
          const before = left
          for await (const message of await consumer.fetch({ max_messages: Math.min(left, 500), expires: ANSWER_MS })) {
            take({ subject, seq: message.seq, data: message.data })
            left -= 1
          }
          if (left === before) throw new Error('JetStream stopped in the middle of a history')
        }
      } finally {
        this.#jsm.consumers.delete(stream, info.name).catch(() => undefined)
      }
    })
  }

  /** The records whose subject fits. */
  async records(stream: string, filter: string): Promise<readonly Stored[]> {
    return this.#asked(async () => {
      const subjects = await this.#subjects(stream, filter)
      const found = await Promise.all(
        subjects.map(async (subject) => {
          const stored = await this.#jsm.direct.getMessage(stream, { last_by_subj: subject })
          return stored === null ? undefined : { subject, seq: stored.seq, data: stored.data }
        }),
      )
      return found.filter((stored) => stored !== undefined)
    })
  }

  subjects(stream: string, filter: string): Promise<readonly string[]> {
    return this.#asked(() => this.#subjects(stream, filter))
  }

  async #subjects(stream: string, filter: string): Promise<readonly string[]> {
    const { state } = await this.#jsm.streams.info(stream, { subjects_filter: filter })
    return Object.keys(state.subjects ?? {})
  }

  /** Forgets the messages of a subject that stand before `seq`. */
  async purge(stream: string, subject: string, seq: number = PURGE_ALL): Promise<void> {
    await this.#asked(() =>
      this.#jsm.streams.purge(stream, seq === PURGE_ALL ? { filter: subject } : { filter: subject, seq }),
    )
  }

  /** What comes on a subject, with its place in the stream that told it, 0 when none did. */
  subscribe(subject: string, heard: Heard): () => void {
    const subscription = this.#nc.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) heard(message.subject, message.data, Number(message.headers?.get('Nats-Sequence') ?? 0))
      },
    })
    return () => subscription.unsubscribe()
  }

  publish(subject: string, text: string): void {
    this.#nc.publish(subject, text)
  }

  /** Whatever was sent has reached the server. */
  flush(): Promise<void> {
    return this.#asked(() => this.#nc.flush())
  }

  async close(): Promise<void> {
    try {
      await this.#nc.drain()
    } catch {
      // It is closed already.
    }
  }

  destroy(): void {
    this.#nc.close().catch(() => undefined)
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      throw toBrokerError(this.#address.shown, error)
    }
  }
}

function errorCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined
}

/** What went wrong, in our words: what JetStream refuses is final, all else passes. */
function toBrokerError(shown: string, error: unknown): Error {
  if (error instanceof MoorageError) return error
  const said = messageOf(error)
  const name = error instanceof Error ? error.name : ''
  if (name === 'AuthorizationError' || name === 'PermissionViolationError' || /authoriz|authenticat/i.test(said))
    return brokerRefuses(shown, error)
  if (name === 'JetStreamNotEnabled' || name === 'NoRespondersError')
    return brokerAway(shown, 'it runs without JetStream, or JetStream is not ready; start it with -js', error)
  const code = errorCode(error)
  if (code !== undefined && FULL.has(code)) return brokerFull(shown, error)
  if (name.startsWith('JetStreamApi') && code !== undefined && code >= 10_000 && !isPassing(code))
    return new BrokenError('ERR_BROKER_GONE', `${shown} refuses what was asked: ${said}`, { cause: error })
  return brokerAway(shown, whyOf(error), error)
}

/** No leader yet, no answer of a peer, a server that shuts down. */
const isPassing = (code: number): boolean => [10_008, 10_009, 10_118].includes(code)

function whyOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const said = messageOf(cause)
  if (/ECONNREFUSED|connection refused/i.test(said))
    return 'nothing listens there; start it, or correct the host and the port'
  if (/ENOTFOUND|EAI_AGAIN/.test(said)) return 'its name is not known; correct the host'
  return said
}
