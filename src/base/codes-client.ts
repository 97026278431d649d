import { entry, table, type Table } from './code-table.js'

export type ClientUsageCode = 'ERR_URL' | 'ERR_BODY_USED' | 'ERR_HAR'

export const CLIENT_USAGE_CODES: Table<ClientUsageCode> = table({
  ERR_URL: entry('local', 'A URL cannot be requested as it is.', 'Give one such as http://127.0.0.1:8000/path?query.'),
  ERR_HAR: entry(
    'local',
    'A HAR that answers requests is none, or has no answer for this one.',
    'Record it anew, with `maxBodyBytes` where bodies are wanted.',
  ),
  ERR_BODY_USED: entry(
    'local',
    'A body that can be read once is read again.',
    'Keep what the first read gave; of a request, give the body as bytes, text or a file, which can be sent again.',
  ),
})

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

export type ClientProtocolCode = 'ERR_STATUS' | 'ERR_REDIRECT' | 'ERR_BODY' | 'ERR_CONTENT_CODING' | 'ERR_HTTP2'

export const CLIENT_PROTOCOL_CODES: Table<ClientProtocolCode> = table({
  ERR_STATUS: entry(
    'remote',
    'A response has a status of 400 or above, and the caller asked for none.',
    'Look at the body of the response, which `response` of the error still has.',
  ),
  ERR_REDIRECT: entry(
    'remote',
    'A redirect cannot be followed: it leads in a circle, to nowhere, or there are too many.',
    'Look at `details.history`; raise maxRedirects, or switch followRedirects off.',
  ),
  ERR_BODY: entry(
    'remote',
    'The body of a response is not what it was said to be: it is cut, damaged, or no JSON.',
    'Request it again; where it happens each time, the server or a proxy is at fault.',
  ),
  ERR_HTTP2: entry(
    'remote',
    'A server ended a stream of HTTP/2 before it had answered; `details.code` has the reason that it gave (RFC 9113 §7).',
    'Request it again; where it happens each time, switch HTTP/2 off (`http2: false`).',
  ),
  ERR_CONTENT_CODING: entry(
    'remote',
    'A body is not in the content coding that it is said to be in, ends in the middle of it, or the coding is not known.',
    'Ask for another one by Accept-Encoding ("identity" for none), or take the body undecoded.',
  ),
})

export type ClientLimitCode = 'ERR_BODY_LIMIT' | 'ERR_POOL_LIMIT' | 'ERR_CONTENT_LIMIT'

export const CLIENT_LIMIT_CODES: Table<ClientLimitCode> = table({
  ERR_BODY_LIMIT: entry(
    'remote',
    'A body is longer than may be held in memory.',
    'Raise maxBodyBytes, or read it piece by piece or into a file.',
  ),
  ERR_POOL_LIMIT: entry(
    'local',
    'Too many requests wait for a connection.',
    'Wait for some of them before you send more, or raise maxWaiting.',
  ),
  ERR_CONTENT_LIMIT: entry(
    'remote',
    'A body is over a limit when it is decoded: in bytes, or by how much it expands.',
    'Raise the limit that the message names if such bodies are expected.',
  ),
})

export type ClientTimeoutCode = 'ERR_POOL_TIMEOUT' | 'ERR_RESPONSE_TIMEOUT' | 'ERR_BODY_TIMEOUT' | 'ERR_TOTAL_TIMEOUT'

export const CLIENT_TIMEOUT_CODES: Table<ClientTimeoutCode> = table({
  ERR_POOL_TIMEOUT: entry(
    'local',
    'A request waited too long for a connection: all that there may be are in use.',
    'Read the bodies of responses to their end, or raise maxConnectionsPerOrigin.',
  ),
  ERR_RESPONSE_TIMEOUT: entry(
    'remote',
    'The server took the request and sent no response in time.',
    'Raise responseTimeoutMs where the server needs long.',
  ),
  ERR_BODY_TIMEOUT: entry(
    'remote',
    'The server stopped in the middle of a body.',
    'Request it again; a download goes on where it stopped.',
  ),
  ERR_TOTAL_TIMEOUT: entry(
    'remote',
    'The whole of a request took longer than it may.',
    'Raise timeoutMs, or Infinity for what is known to be long.',
  ),
})

export type ClientClosedCode = 'ERR_CLIENT_CLOSED'

export const CLIENT_CLOSED_CODES: Table<ClientClosedCode> = table({
  ERR_CLIENT_CLOSED: entry('local', 'A session is used behind its close.', 'Send requests before close().'),
})
