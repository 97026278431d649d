import type * as Redis from 'redis'
import { BrokenError, messageOf, MoorageError } from '../../base/errors.js'
import { brokerAway, brokerFull, brokerRefuses, packageMissing } from '../remote/broker-errors.js'
import type { RedisAddress } from './redis-url.js'
import { textOf } from './replies.js'
import { SCRIPTS, type Script } from './scripts.js'

export type Argument = string | Buffer

const CONNECT_MS = 5000
// The first bytes of a bulk string and of a map.
const RESP_BULK = 36
const RESP_MAP = 37

/** What is used of the client of the package `redis`. */
interface Client {
  connect(): Promise<unknown>
  sendCommand(command: readonly Argument[]): Promise<unknown>
  subscribe(channels: string[], heard: (frame: Buffer, channel: Buffer) => void, asBytes: true): Promise<void>
  unsubscribe(channel: string): Promise<void>
  on(event: 'error' | 'end', listener: () => void): unknown
  close(): Promise<void>
  destroy(): void
}

async function makeClient({
  shown,
  host,
  port,
  isSecure,
  username,
  password,
  database,
}: RedisAddress): Promise<Client> {
  const { createClient } = await loadRedis(shown)
  const socket = { host, port, connectTimeout: CONNECT_MS, reconnectStrategy: false as const }
  return createClient({
    socket: isSecure ? { ...socket, tls: true } : socket,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    database,
    RESP: 3,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    // Bytes as bytes: what is text is known here.
    commandOptions: { typeMapping: { [RESP_BULK]: Buffer, [RESP_MAP]: Array } },
  })
}

async function loadRedis(shown: string): Promise<typeof Redis> {
  try {
    return await import('redis')
  } catch (error) {
    throw packageMissing(shown, 'redis', error)
  }
}

/** One connection to Redis, until it breaks. */
export class RedisConnection {
  readonly #client: Client
  /** Told of the server at the beginning: another one behind each restart. */
  readonly serverRun: string
  readonly #digests: ReadonlyMap<Script, string>
  readonly #ended: () => void
  #isOpen = true

  private constructor(client: Client, run: string, digests: ReadonlyMap<Script, string>, ended: () => void) {
    this.#client = client
    this.#ended = ended
    this.serverRun = run
    this.#digests = digests
  }

  /** `ended` is called once when it breaks, however it does. @throws UsageError, BrokenError, LimitError. */
  static async open(address: RedisAddress, ended: () => void): Promise<RedisConnection> {
    const client = await makeClient(address)
    let connection: RedisConnection | undefined
    const broken = (): void => {
      if (connection === undefined || !connection.#isOpen) return
      connection.#isOpen = false
      ended()
    }
    client.on('error', broken)
    client.on('end', broken)
    try {
      await client.connect()
      const info = textOf(await client.sendCommand(['INFO', 'server']))
      const [, run = 'unknown'] = /^run_id:(\w+)/m.exec(info) ?? []
      const digests = new Map<Script, string>()
      for (const script of Object.values(SCRIPTS))
        digests.set(script, textOf(await client.sendCommand(['SCRIPT', 'LOAD', script.text])))
      connection = new RedisConnection(client, run, digests, ended)
      return connection
    } catch (error) {
      client.destroy()
      throw toBrokerError(address.shown, error)
    }
  }

  call(...command: Argument[]): Promise<unknown> {
    return this.#client.sendCommand(command)
  }

  async run(script: Script, keys: readonly string[], given: readonly Argument[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...given]
    try {
      return await this.#client.sendCommand(['EVALSHA', this.#digests.get(script) ?? '', ...rest])
    } catch (error) {
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error
      return this.#client.sendCommand(['EVAL', script.text, ...rest])
    }
  }

  subscribe(channels: string[], heard: (frame: Buffer, channel: Buffer) => void): Promise<void> {
    return this.#client.subscribe(channels, heard, true)
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#client.unsubscribe(channel)
  }

  /** What was asked is answered first. Never rejects. */
  async close(): Promise<void> {
    this.#isOpen = false
    try {
      await this.#client.close()
    } catch {
      this.#client.destroy()
    }
  }

  /** It is of no use any more; what has no answer is rejected. */
  destroy(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#client.destroy()
    this.#ended()
  }
}

/** Whether Redis itself said it, of what was asked; all else is of the connection, or passes. */
export function isSaid(error: unknown): boolean {
  return (
    error instanceof Error && /^(?:ERR|OOM|MISCONF|NOPERM|WRONGTYPE|NOSCRIPT|NOREPLICAS|DENIED)\b/.test(error.message)
  )
}

/** What went wrong, in our words. */
export function toBrokerError(shown: string, error: unknown): Error {
  if (error instanceof MoorageError) return error
  const said = messageOf(error)
  if (/^(?:WRONGPASS|NOAUTH|NOPERM|ERR (?:invalid password|AUTH|Client sent AUTH))/i.test(said))
    return brokerRefuses(shown, error)
  if (/^(?:OOM|MISCONF)/.test(said)) return brokerFull(shown, error)
  if (said.startsWith('LOADING')) return brokerAway(shown, 'it is reading its data; try again', error)
  if (isSaid(error))
    return new BrokenError('ERR_BROKER_GONE', `${shown} refuses what was asked: ${said}`, { cause: error })
  return brokerAway(shown, whyOf(error), error)
}

function whyOf(error: unknown): string {
  // An AggregateError of all addresses has no message of its own.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  const code = first instanceof Error && 'code' in first ? first.code : undefined
  if (code === 'ECONNREFUSED') return 'nothing listens there; start it, or correct the host and the port'
  if (code === 'ENOTFOUND') return 'its name is not known; correct the host'
  return messageOf(first)
}
