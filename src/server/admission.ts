import type { Clock } from '../base/clock.js'
import { byteCount, count, oneOf, value, type OptionSpecs } from '../base/options.js'
import type { Address } from '../transport/address.js'
import { AddressList } from '../transport/node/address-list.js'
import { DescriptorBudget } from './descriptor-budget.js'
import type { RefusalReason } from './metrics.js'

export interface AdmissionOptions {
  readonly maxConnections?: number
  readonly maxConnectionsPerAddress?: number
  readonly acceptRate?: number
  readonly acceptBurst?: number
  readonly maxWaiting?: number
  readonly memoryBudgetBytes?: number
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  readonly onOverload?: 'wait' | 'refuse'
  readonly refusal?: string
}

export type AdmissionSettings = Readonly<Required<AdmissionOptions>>

const isStrings = (given: unknown): given is readonly string[] =>
  Array.isArray(given) && given.every((entry) => typeof entry === 'string')

export const ADMISSION_OPTIONS: OptionSpecs<AdmissionSettings> = {
  maxConnections: count(
    100_000,
    'Connections with a handler at once. nginx has 512 per worker, HAProxy derives it from the descriptor limit, which bounds this one too.',
  ),
  maxConnectionsPerAddress: count(
    Infinity,
    'The same for one remote address: a client behind the same NAT as many others is not alone, so there is no default.',
  ),
  acceptRate: count(Infinity, 'Connections a second that may begin; those above wait or are refused.'),
  acceptBurst: count(100, 'Connections that may begin at once before acceptRate counts.'),
  maxWaiting: count(
    16_384,
    'Connections held accepted and unread while there is no room; more are refused. The backlog of the system (4096) comes before that.',
    { min: 0 },
  ),
  memoryBudgetBytes: byteCount(
    Infinity,
    'Resident memory of the process above which new connections wait or are refused; read at most ten times a second.',
  ),
  allow: value<readonly string[]>(
    'addresses or networks (["10.0.0.0/8"])',
    [],
    'everyone',
    'Who may connect; empty means everyone. Unix sockets are not concerned.',
    isStrings,
  ),
  deny: value<readonly string[]>(
    'addresses or networks (["10.0.0.0/8"])',
    [],
    'nobody',
    'Who may not connect, also when allowed.',
    isStrings,
  ),
  onOverload: oneOf(
    ['wait', 'refuse'],
    'wait',
    "What happens above a limit. 'wait': accepted, unread, no handler yet, at most maxWaiting. 'refuse': closed at once, with `refusal`.",
  ),
  refusal: value<string>(
    'a string',
    '',
    'none',
    'What a refused client is sent before the connection is closed (over TLS nothing is sent).',
    (given): given is string => typeof given === 'string',
  ),
}

/** How often the memory of the process is looked at. */
const MEMORY_CHECK_MS = 100

/** Decides, for each connection, whether it may begin. The numbers it decides by are its own: it is told of each begin and end. */
export class Admission {
  readonly #settings: AdmissionSettings
  readonly #clock: Clock
  readonly #allow: AddressList
  readonly #deny: AddressList
  readonly #descriptors: DescriptorBudget
  readonly #byAddress: Map<string, number> | undefined
  #active = 0
  #tokens: number
  #tokensAt: number
  #memoryAt = -Infinity
  #memoryFull = false

  constructor(settings: AdmissionSettings, clock: Clock, descriptors: DescriptorBudget = new DescriptorBudget()) {
    this.#settings = settings
    this.#clock = clock
    this.#allow = new AddressList(settings.allow)
    this.#deny = new AddressList(settings.deny)
    this.#descriptors = descriptors
    this.#byAddress = settings.maxConnectionsPerAddress === Infinity ? undefined : new Map()
    this.#tokens = settings.acceptBurst
    this.#tokensAt = clock.now()
  }

  get active(): number {
    return this.#active
  }

  /** Refused whatever there is room for: a peer on no list, or the last descriptors. `held` counts all connections. */
  refusal(remote: Address, held: number): RefusalReason | undefined {
    if (this.#deny.has(remote)) return 'denied'
    if (this.#allow.size > 0 && remote.kind === 'ip' && !this.#allow.has(remote)) return 'denied'
    return this.#descriptors.allows(held) ? undefined : 'descriptors'
  }

  /** The limit that is in the way of one more, or `undefined`; then call `begin`. */
  obstacle(remote: Address): RefusalReason | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.#settings
    if (this.#active >= maxConnections) return 'maxConnections'
    if (this.#byAddress !== undefined && (this.#byAddress.get(keyOf(remote)) ?? 0) >= maxConnectionsPerAddress) {
      return 'maxConnectionsPerAddress'
    }
    if (!this.#memoryAllows()) return 'memoryBudget'
    return this.#rateAllows() ? undefined : 'acceptRate'
  }

  begin(remote: Address): void {
    this.#active += 1
    if (this.#settings.acceptRate !== Infinity) this.#tokens -= 1
    if (this.#byAddress !== undefined) {
      const key = keyOf(remote)
      this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + 1)
    }
  }

  end(remote: Address): void {
    this.#active -= 1
    if (this.#byAddress === undefined) return
    const key = keyOf(remote)
    const left = (this.#byAddress.get(key) ?? 1) - 1
    if (left === 0) this.#byAddress.delete(key)
    else this.#byAddress.set(key, left)
  }

  /** Milliseconds until a limit that only time lifts may be lifted; `undefined` when only an end can make room. */
  retryInMs(obstacle: RefusalReason): number | undefined {
    if (obstacle === 'memoryBudget') return MEMORY_CHECK_MS
    if (obstacle !== 'acceptRate') return undefined
    return Math.max(1, ((1 - this.#tokens) / this.#settings.acceptRate) * 1000)
  }

  #rateAllows(): boolean {
    const { acceptRate, acceptBurst } = this.#settings
    if (acceptRate === Infinity) return true
    const now = this.#clock.now()
    this.#tokens = Math.min(acceptBurst, this.#tokens + ((now - this.#tokensAt) / 1000) * acceptRate)
    this.#tokensAt = now
    return this.#tokens >= 1
  }

  #memoryAllows(): boolean {
    const { memoryBudgetBytes } = this.#settings
    if (memoryBudgetBytes === Infinity) return true
    const now = this.#clock.now()
    if (now - this.#memoryAt >= MEMORY_CHECK_MS) {
      this.#memoryAt = now
      this.#memoryFull = process.memoryUsage.rss() > memoryBudgetBytes
    }
    return !this.#memoryFull
  }
}

const keyOf = (remote: Address): string => (remote.kind === 'ip' ? remote.host : '')
