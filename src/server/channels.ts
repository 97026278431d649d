import { channel, type Channel } from 'node:diagnostics_channel'

/** What servers publish over `node:diagnostics_channel`; each costs nothing without subscribers. */
export const CHANNELS: Readonly<Record<'listening' | 'closed' | 'begin' | 'end' | 'refused' | 'error', Channel>> = {
  /** `{ endpoint }` */
  listening: channel('moorage:server.listening'),
  /** `{ endpoint, report }` */
  closed: channel('moorage:server.closed'),
  /** `{ endpoint, remote }` */
  begin: channel('moorage:connection.begin'),
  /** `{ endpoint, outcome }` */
  end: channel('moorage:connection.end'),
  /** `{ endpoint, remote, reason }` */
  refused: channel('moorage:connection.refused'),
  /** `{ endpoint, remote, error }` */
  error: channel('moorage:connection.error'),
}
