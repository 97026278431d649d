import { entry, table, type Table } from './code-table.js'

export type PubsubUsageCode =
  | 'ERR_BROKER_AUTH'
  | 'ERR_BROKER_PACKAGE'
  | 'ERR_BROKER_URL'
  | 'ERR_ROOM_NAME'
  | 'ERR_ROOM_REFUSED'
export type PubsubLimitCode = 'ERR_BROKER_FULL' | 'ERR_ROOM_LIMIT' | 'ERR_ROOM_MESSAGE_SIZE'

export const PUBSUB_USAGE_CODES: Table<PubsubUsageCode> = table({
  ERR_BROKER_AUTH: entry(
    'local',
    'Redis or NATS does not know the user or the password of the URL, or does not allow that user what is needed.',
    'Correct the URL, or what the user may do there.',
  ),
  ERR_BROKER_PACKAGE: entry(
    'local',
    'The client of Redis or NATS is not installed: it is an optional package.',
    'Install it with the command that the message shows.',
  ),
  ERR_BROKER_URL: entry(
    'local',
    'The URL of a broker is malformed, or of a kind that is not known.',
    'Use one of the forms that the message shows.',
  ),
  ERR_ROOM_NAME: entry(
    'local',
    'A name in a room (its own, a member’s, a publisher’s) is empty, too long, or has control characters.',
    'Use 1 to 255 bytes of text without control characters.',
  ),
  ERR_ROOM_REFUSED: entry(
    'remote',
    'A server does not do in a room what a client asks for; `details.code` is the code of the server where it has one.',
    'Ask for what is allowed: the option authorize of the server decides.',
  ),
})

export const PUBSUB_LIMIT_CODES: Table<PubsubLimitCode> = table({
  ERR_BROKER_FULL: entry(
    'remote',
    'Redis or NATS takes nothing more: its memory or its disk is full.',
    'Give it more, or keep less: historyMessages, historyBytes, historyTtlMs.',
  ),
  ERR_ROOM_LIMIT: entry(
    'local',
    'A broker has as many rooms, members or subscriptions as it may have.',
    'Leave rooms that are not needed, or raise the limit that the message names.',
  ),
  ERR_ROOM_MESSAGE_SIZE: entry(
    'local',
    'A message for a room, or what a member says of itself, is larger than its limit.',
    'Send less, or raise maxMessageBytes or maxMemberBytes.',
  ),
})
