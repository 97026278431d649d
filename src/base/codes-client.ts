import { entry, table, type Table } from './code-table.js'

export type ClientNetCode = 'ERR_BODY_SOURCE' | 'ERR_COOKIE_FILE' | 'ERR_NETRC'

export const CLIENT_NET_CODES: Table<ClientNetCode> = table({
  ERR_BODY_SOURCE: entry(
    'local',
    'What a body is made of cannot be read, or is longer or shorter than was announced: a file that changed while it was sent, for instance.',
    'Leave files alone while they are sent, and give a stream the length that it has, or none.',
  ),
  ERR_COOKIE_FILE: entry(
    'local',
    'A file of cookies cannot be read or written, or is neither JSON of a cookie jar nor a Netscape cookies.txt.',
    'See the cause, or correct the line that the message names.',
  ),
  ERR_NETRC: entry(
    'local',
    'A .netrc cannot be read, or is malformed.',
    'Correct the line that the message names; the environment variable NETRC names another file.',
  ),
})

export type ClientProtocolCode = 'ERR_CONTENT_CODING'

export const CLIENT_PROTOCOL_CODES: Table<ClientProtocolCode> = table({
  ERR_CONTENT_CODING: entry(
    'remote',
    'A body is not in the content coding that it is said to be in, ends in the middle of it, or the coding is not known.',
    'Ask for another one by Accept-Encoding ("identity" for none), or take the body undecoded.',
  ),
})

export type ClientLimitCode = 'ERR_CONTENT_LIMIT'

export const CLIENT_LIMIT_CODES: Table<ClientLimitCode> = table({
  ERR_CONTENT_LIMIT: entry(
    'remote',
    'A body is over a limit when it is decoded: in bytes, or by how much it expands.',
    'Raise the limit that the message names if such bodies are expected.',
  ),
})
