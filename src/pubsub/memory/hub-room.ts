import { Feed, type FeedSettings } from '../feed.js'
import type { Member, PresenceEvent } from '../presence.js'
import { type HistoryBudget, type HistoryBounds, RoomLog } from './history.js'
import { Members } from './members.js'

/** One room of a hub: its messages, who is in it, and who listens. */
export class HubRoom {
  readonly name: string
  readonly log: RoomLog
  readonly feed: Feed
  readonly members: Members = new Members()
  /** Subscriptions and enterings: with none, the room rests. */
  users: number = 0
  restsSinceMs: number = 0

  constructor(name: string, epoch: string, bounds: HistoryBounds, budget: HistoryBudget, settings: FeedSettings) {
    this.name = name
    this.log = new RoomLog(epoch, bounds, budget)
    this.feed = new Feed(settings)
  }

  tell(type: PresenceEvent['type'], member: Member, timeMs: number): void {
    this.feed.deliverPresence({ type, room: this.name, member, timeMs })
  }
}
