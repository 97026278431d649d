/** Somebody in a room. */
export interface Member {
  /** Told apart by it: the same id entered twice is one member, until both have left. */
  readonly id: string
  /** Something small that JSON can carry: what the others see of this member. */
  readonly data?: unknown
}

export interface EnterOptions {
  /** Whether to be the only one with this id: refused with `ERR_MEMBER_TAKEN` when it is taken, and then refuses others. Default: false. */
  readonly unique?: boolean
}

/** `join` for the first with an id, `leave` for the last; `update` when the data of one that is there changes. */
export interface PresenceEvent {
  readonly type: 'join' | 'update' | 'leave'
  readonly room: string
  readonly member: Member
  /** Milliseconds since 1970. */
  readonly timeMs: number
}

/** One entering of a member, held by whoever entered it. */
export interface Membership extends AsyncDisposable {
  readonly room: string
  readonly id: string
  /**
   * Other data for this member, wherever it was entered.
   * @throws LimitError `ERR_ROOM_MESSAGE_SIZE`; UsageError `ERR_ARGUMENT`; ClosedError `ERR_CLOSED` after `leave()`.
   */
  update(data: unknown): Promise<void>
  /** Idempotent; never rejects. */
  leave(): Promise<void>
}
