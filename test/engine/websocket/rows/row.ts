import type { WebSocketLimits } from '#src/engine/websocket/options.js'
import type { Item, Role } from '../_frames.js'

interface Base {
  /** A sentence part: what is special about these frames. */
  readonly name: string
  /** Of the standard: what decides. */
  readonly section: string
  readonly sent: readonly Item[]
  readonly limits?: Partial<WebSocketLimits>
  /** permessage-deflate was agreed on. Default: false. */
  readonly deflates?: boolean
  /** The ends that it is for. Default: both. */
  readonly roles?: readonly Role[]
}

export interface ReadRow extends Base {
  /** A kind, a space, and characters for bytes. */
  readonly events: readonly string[]
  /** `end` behind a close frame. Default: `need-data`. */
  readonly ending?: 'end'
  /** The last frame is not whole, so nothing can be read behind it. Default: false. */
  readonly partial?: boolean
}

export interface RefusedRow extends Base {
  /** The code, and what the connection is closed with. */
  readonly refused: string
  /** Events before it. Default: none. */
  readonly events?: readonly string[]
  /** So many bytes of the last frame decide; below 0: all but so many. */
  readonly decided: number
}

export const FRAME = 'ERR_WEBSOCKET_FRAME 1002'
export const UTF8 = 'ERR_WEBSOCKET_UTF8 1007'
export const CLOSE = 'ERR_WEBSOCKET_CLOSE 1002'

export const read = (name: string, section: string, sent: readonly Item[], events: readonly string[]): ReadRow => ({
  name,
  section: `RFC 6455 ${section}`,
  sent,
  events,
})

/** A frame that is refused by its first two bytes. */
export const refused = (
  name: string,
  section: string,
  sent: readonly Item[],
  more: Partial<RefusedRow> = {},
): RefusedRow => ({ name, section: `RFC 6455 ${section}`, sent, refused: FRAME, decided: 2, ...more })
