import type { PresenceEvent, RoomMessage } from 'moorage/pubsub'
import { formatPosition } from 'moorage/pubsub'

/** Something that was said. `position` is where to resume. */
export interface Said {
  readonly type: 'said'
  readonly room: string
  readonly from: string
  readonly text: string
  readonly atMs: number
  readonly position: string
  /** Whether this very user said it. */
  readonly own: boolean
}

/** What somebody in a chat is told: plain data, a line for a terminal (`toLine`) or JSON for a browser. */
export type ChatEvent =
  | Said
  | {
      readonly type: 'entered'
      readonly room: string
      /** Of whoever is told. */
      readonly name: string
      readonly members: readonly string[]
      readonly past: readonly Said[]
      /** Where to resume when nothing else is said. */
      readonly position: string
    }
  | { readonly type: 'joined' | 'left'; readonly room: string; readonly name: string }
  | { readonly type: 'renamed'; readonly room: string; readonly name: string; readonly to: string }
  | { readonly type: 'members'; readonly members: readonly string[] }
  | { readonly type: 'rooms'; readonly rooms: readonly string[] }
  /** So many messages are lost; `undefined` when nobody knows. */
  | { readonly type: 'gap'; readonly room: string; readonly missed: number | undefined }
  | { readonly type: 'refused'; readonly why: string }
  | { readonly type: 'help'; readonly commands: readonly string[] }

export function toLine(event: ChatEvent): string {
  switch (event.type) {
    case 'said':
      return `${event.from}: ${event.text}`
    case 'entered':
      return [`* you are in ${event.room}, with ${event.members.join(', ')}`, ...event.past.map(toLine)].join('\n')
    case 'joined':
    case 'left':
      return `* ${event.name} ${event.type}`
    case 'renamed':
      return `* ${event.name} is now ${event.to}`
    case 'members':
      return `* here are ${event.members.join(', ')}`
    case 'rooms':
      return `* rooms: ${event.rooms.join(', ')}`
    case 'gap':
      return `* ${event.missed ?? 'some'} lines are lost`
    case 'refused':
      return `* ${event.why}`
    case 'help':
      return `* commands: ${event.commands.join(', ')}`
  }
}

/** What travels in the room. */
export const formatSaid = (from: string, text: string): string => JSON.stringify({ from, text })

/** A message of the room; `undefined` for one that is not of a chat. */
export function toSaid(message: RoomMessage, own: boolean): Said | undefined {
  const { room, data, timeMs: atMs } = message
  const said = typeof data === 'string' ? parseObject(data) : {}
  const { from, text } = said
  if (typeof from !== 'string' || typeof text !== 'string') return undefined
  return { type: 'said', room, from, text, atMs, position: formatPosition(message), own }
}

/**
 * Somebody who takes another name enters under it, showing what it `was`, and leaves under the old one, showing what it
 * is `now`: three events of presence, of which one is told.
 */
export function fromPresence({ type, room, member }: PresenceEvent): ChatEvent | undefined {
  const { id: name } = member
  const { was, now } = shown(member.data)
  if (type === 'join') return was === undefined ? { type: 'joined', room, name } : undefined
  if (type === 'update') return now === undefined ? undefined : { type: 'renamed', room, name, to: now }
  return now === undefined ? { type: 'left', room, name } : undefined
}

function shown(data: unknown): { readonly was?: string; readonly now?: string } {
  if (typeof data !== 'object' || data === null) return {}
  return {
    ...('was' in data && typeof data.was === 'string' ? { was: data.was } : {}),
    ...('now' in data && typeof data.now === 'string' ? { now: data.now } : {}),
  }
}

function parseObject(text: string): { readonly from?: unknown; readonly text?: unknown } {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    // Somebody else’s message in a room of this name.
    return {}
  }
}
