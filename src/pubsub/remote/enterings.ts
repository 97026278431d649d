import type { Logger } from '../../base/logger.js'
import type { Member } from '../presence.js'

interface Entered {
  readonly room: string
  readonly unique: boolean
  member: Member
}

export interface Entering {
  readonly room: string
  /** The name of this entering, unlike all others. */
  readonly who: string
  readonly member: Member
  readonly unique: boolean
}

/** Whom one broker has entered: they come again when the broker was taken for dead. */
export class Enterings {
  readonly #broker: string
  readonly #logger: Logger
  readonly #entered = new Map<number, Entered>()

  constructor(broker: string, logger: Logger) {
    this.#broker = broker
    this.#logger = logger
  }

  who(entering: number): string {
    return `${this.#broker}/${entering}`
  }

  add(entering: number, { room, member, unique }: Omit<Entering, 'who'>): void {
    this.#entered.set(entering, { room, member, unique })
  }

  update(entering: number, member: Member): void {
    const entered = this.#entered.get(entering)
    if (entered !== undefined) entered.member = member
  }

  delete(entering: number): void {
    this.#entered.delete(entering)
  }

  *all(): Generator<Entering> {
    for (const [entering, { room, member, unique }] of this.#entered)
      yield { room, who: this.who(entering), member, unique }
  }

  /** One that cannot, because somebody else took its id meanwhile, is told to the log. */
  comeAgain(enter: (entering: Entering) => Promise<void>): void {
    for (const entering of this.all()) {
      enter(entering).catch((error: unknown) => {
        const { room, member } = entering
        this.#logger.warn('a member could not come back', { room, member: member.id, error })
      })
    }
  }
}
