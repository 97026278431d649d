import type { Broker } from '../pubsub/broker.js'
import type { BrokerLimits } from '../pubsub/options.js'
import type { PresenceEvent } from '../pubsub/presence.js'
import type { Gap, Room, RoomListener, RoomMessage } from '../pubsub/room.js'
import { until, within, type ContractRow } from './contract-row.js'

/** Makes the brokers that the contract is tried on. */
export interface BrokerFactory {
  /** So many brokers onto the same rooms, which nobody used before. */
  open(count: number, limits?: Partial<BrokerLimits>): Promise<readonly Broker[]>
  /** Set when listeners are not called where the backend delivers: why rows about what they do there are not tried. */
  readonly listensElsewhere?: string
}

export type BrokerContractRow = ContractRow<BrokerFactory>

export interface BrokerTrial {
  readonly first: Broker
  readonly second: Broker
  readonly listensElsewhere: string | undefined
}

/** What a listener has heard. */
export class Heard implements RoomListener {
  readonly messages: RoomMessage[] = []
  readonly events: PresenceEvent[] = []
  readonly gaps: Gap[] = []
  readonly ends: unknown[] = []
  /** Called with each message, after it was noted. */
  also: (message: RoomMessage) => void

  constructor(also: (message: RoomMessage) => void = () => undefined) {
    this.also = also
  }

  message(message: RoomMessage): void {
    this.messages.push(message)
    this.also(message)
  }

  presence(event: PresenceEvent): void {
    this.events.push(event)
  }

  gap(gap: Gap): void {
    this.gaps.push(gap)
  }

  ended(error: Error): void {
    this.ends.push(error)
  }

  get texts(): readonly string[] {
    return this.messages.map(({ data }) => (typeof data === 'string' ? data : `${data.length} bytes`))
  }

  get presences(): readonly string[] {
    return this.events.map(({ type, member }) => `${type} ${member.id}`)
  }

  /** Waits for a message with this text. */
  hears(text: string): Promise<void> {
    return until(`"${text}" after ${this.texts.join(', ')}`, () => this.texts.includes(text))
  }

  sees(presence: string): Promise<void> {
    return until(`"${presence}" after ${this.presences.join(', ')}`, () => this.presences.includes(presence))
  }
}

export async function publishAll(room: Room, texts: readonly string[]): Promise<void> {
  for (const text of texts) await within('a publish', room.publish(text))
}

export const numbered = (word: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${word} ${from + i}`)

export function brokerRow(
  name: string,
  body: (trial: BrokerTrial) => Promise<void>,
  limits: Partial<BrokerLimits> = {},
  { listensHere = false }: { readonly listensHere?: boolean } = {},
): BrokerContractRow {
  return {
    name,
    async run({ open, listensElsewhere }) {
      if (listensHere && listensElsewhere !== undefined) return { skipped: listensElsewhere }
      const brokers = await within('the brokers', open(2, limits))
      const [first, second] = brokers
      if (first === undefined || second === undefined) throw new Error('The factory made no two brokers')
      try {
        await body({ first, second, listensElsewhere })
      } finally {
        await within('the brokers to close', Promise.all(brokers.map((broker) => broker.close())))
      }
      return undefined
    },
  }
}
