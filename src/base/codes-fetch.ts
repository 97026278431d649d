import { entry, table, type Table } from './code-table.js'

/** What `validateFetch` finds. */
export type FetchCode =
  | 'ERR_FETCH_REQUEST'
  | 'ERR_FETCH_RESPONSE'
  | 'ERR_FETCH_FIELD'
  | 'ERR_FETCH_BODY'
  | 'ERR_FETCH_STREAM'
  | 'ERR_FETCH_TIME'

export const FETCH_CODES: Table<FetchCode> = table({
  ERR_FETCH_REQUEST: entry(
    'local',
    'A fetch handler was called with what is no request, or one that no client can have sent.',
    'Call it with a Request that has an http: or https: URL, as the message says.',
  ),
  ERR_FETCH_RESPONSE: entry(
    'local',
    'A fetch handler returned what is no response, or one that cannot be sent as the answer to its request.',
    'Return a fresh Response whose body nobody has read.',
  ),
  ERR_FETCH_FIELD: entry(
    'local',
    'A response of a fetch handler lacks a field that it must have, or has one that it must not have or that is malformed.',
    'Read the section that the message names; `details.rule` says which rule it is.',
  ),
  ERR_FETCH_BODY: entry(
    'local',
    'The body of a response is not what its status, its method or its fields announce.',
    'Send what was announced, or announce nothing: a server counts by itself.',
  ),
  ERR_FETCH_STREAM: entry(
    'local',
    'A body was left in the middle, or read when its exchange was over.',
    'Read each body to its end or cancel it, and read that of the request before that of the response ends.',
  ),
  ERR_FETCH_TIME: entry(
    'local',
    'A fetch handler did not answer in its time.',
    'Wait for nothing without a limit, or raise timeoutMs.',
  ),
})
