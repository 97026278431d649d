import { entry, table, type Table } from './code-table.js'
import {
  CLIENT_CLOSED_CODES,
  CLIENT_LIMIT_CODES,
  CLIENT_NET_CODES,
  CLIENT_PROTOCOL_CODES,
  CLIENT_TIMEOUT_CODES,
  CLIENT_USAGE_CODES,
  type ClientClosedCode,
  type ClientLimitCode,
  type ClientNetCode,
  type ClientProtocolCode,
  type ClientTimeoutCode,
  type ClientUsageCode,
} from './codes-client.js'
import { FETCH_CODES, type FetchCode } from './codes-fetch.js'
import { HTTP_LIMIT_CODES, HTTP_PROTOCOL_CODES, type HttpLimitCode, type HttpProtocolCode } from './codes-http.js'
import {
  WEBSOCKET_LIMIT_CODES,
  WEBSOCKET_PROTOCOL_CODES,
  WEBSOCKET_TIMEOUT_CODES,
  type WebSocketLimitCode,
  type WebSocketProtocolCode,
  type WebSocketTimeoutCode,
} from './codes-websocket.js'
import { PUBSUB_LIMIT_CODES, PUBSUB_USAGE_CODES, type PubsubLimitCode, type PubsubUsageCode } from './codes-pubsub.js'
import {
  TUNNEL_NET_CODES,
  TUNNEL_PROTOCOL_CODES,
  TUNNEL_USAGE_CODES,
  type TunnelNetCode,
  type TunnelProtocolCode,
  type TunnelUsageCode,
} from './codes-tunnel.js'

export type UsageCode =
  | 'ERR_OPTION_UNKNOWN'
  | 'ERR_OPTION_VALUE'
  | 'ERR_ARGUMENT'
  | 'ERR_ENDPOINT'
  | 'ERR_ENDPOINT_SCHEME'
  | 'ERR_STATE'
  | 'ERR_HANDLER'
  | 'ERR_HANDLER_MODULE'
  | 'ERR_TYPESCRIPT_LOADER'
  | 'ERR_MODEL_UNSUPPORTED'
  | 'ERR_UNSUPPORTED'
  | 'ERR_NATIVE_MISSING'
  | FetchCode
  | PubsubUsageCode
  | TunnelUsageCode
  | ClientUsageCode

export const USAGE_CODES: Table<UsageCode> = table({
  ERR_OPTION_UNKNOWN: entry(
    'local',
    'An option has a name that does not exist.',
    'Use the name that the message suggests, or look it up in docs/OPTIONS.md.',
  ),
  ERR_OPTION_VALUE: entry(
    'local',
    'An option has a value of the wrong type or out of its range.',
    'Give a value of the kind that the message shows.',
  ),
  ERR_ARGUMENT: entry(
    'local',
    'A function was called with an argument that it cannot use.',
    'Give an argument of the kind that the message shows.',
  ),
  ERR_ENDPOINT: entry(
    'local',
    'An endpoint string is malformed.',
    'Correct the part that the message names; docs/ENDPOINTS.md has the grammar.',
  ),
  ERR_ENDPOINT_SCHEME: entry(
    'local',
    'An endpoint has a scheme that this door does not serve.',
    'Use the door or the scheme that the message names.',
  ),
  ERR_STATE: entry(
    'local',
    'A method was called in a state in which it has no meaning.',
    'Call it in the order that its documentation gives.',
  ),
  ERR_HANDLER: entry(
    'local',
    'A handler is neither a function nor a handler class of the right kind.',
    'Pass an async function, a subclass of StreamHandler or DatagramHandler, or a module URL.',
  ),
  ERR_HANDLER_MODULE: entry(
    'local',
    'A handler module cannot be loaded, or exports no handler.',
    'Check the path, and give the module a default export that is a handler.',
  ),
  ERR_TYPESCRIPT_LOADER: entry(
    'local',
    'A TypeScript module cannot be loaded by this runtime.',
    'Run on Node.js 22.18 or newer, or install the package "amaro" beside the module.',
  ),
  ERR_MODEL_UNSUPPORTED: entry(
    'local',
    'This runtime cannot run the concurrency model that was asked for.',
    "Use accept: 'parent', a newer Node.js, or build the native addon.",
  ),
  ERR_UNSUPPORTED: entry(
    'local',
    'This transport or platform has no such operation.',
    'Use the transport that the message names.',
  ),
  ERR_NATIVE_MISSING: entry(
    'local',
    'The native addon is needed here and is not built.',
    'Install a C compiler and run "npm rebuild moorage"; the message says why the last build failed.',
  ),
  ...FETCH_CODES,
  ...PUBSUB_USAGE_CODES,
  ...TUNNEL_USAGE_CODES,
  ...CLIENT_USAGE_CODES,
})

export const isUsageCode = (code: string): code is UsageCode => code in USAGE_CODES

export type NetCode =
  | 'ERR_RESOLVE'
  | 'ERR_CONNECT'
  | 'ERR_LISTEN'
  | 'ERR_ADDRESS_IN_USE'
  | 'ERR_ACCESS'
  | 'ERR_ADDRESS_NOT_AVAILABLE'
  | 'ERR_UNIX_PATH'
  | 'ERR_DESCRIPTOR'
  | 'ERR_DESCRIPTORS_EXHAUSTED'
  | 'ERR_SOCKET'
  | 'ERR_TLS_CERTIFICATE'
  | 'ERR_TLS_HANDSHAKE'
  | 'ERR_DATAGRAM_UNREACHABLE'
  | 'ERR_FILE_READ'
  | 'ERR_WORKER'
  | TunnelNetCode
  | ClientNetCode

export const NET_CODES: Table<NetCode> = table({
  ERR_RESOLVE: entry('local', 'A host name has no address.', 'Check the name, and that a resolver can be reached.'),
  ERR_CONNECT: entry(
    'remote',
    'No address of the peer could be connected to; each attempt is listed with its reason.',
    'Check that the peer listens on that address, and that nothing between blocks it.',
  ),
  ERR_LISTEN: entry('local', 'An address could not be listened on.', 'See the cause for the reason the system gave.'),
  ERR_ADDRESS_IN_USE: entry(
    'local',
    'Another program listens on this address already.',
    'Stop the program that the message names, or use another port (0 means any).',
  ),
  ERR_ACCESS: entry(
    'local',
    'The system refuses this address to this user.',
    'Use a port from 1024 up, a folder you may write to, or run with the needed right.',
  ),
  ERR_ADDRESS_NOT_AVAILABLE: entry(
    'local',
    'This machine has no such address.',
    'Listen on an address of this machine, on 0.0.0.0 or on [::].',
  ),
  ERR_UNIX_PATH: entry(
    'local',
    'A Unix socket path is too long, or is taken by something that is not a stale socket.',
    'Use a path of at most 107 bytes, and remove what stands there if it is not needed.',
  ),
  ERR_DESCRIPTOR: entry(
    'local',
    'An inherited descriptor is not what was asked for.',
    'Check the number, and that the parent (systemd, for instance) hands the socket over.',
  ),
  ERR_DESCRIPTORS_EXHAUSTED: entry(
    'local',
    'This process has used up its file descriptors.',
    'Raise the limit (ulimit -n) or lower maxConnections.',
  ),
  ERR_SOCKET: entry(
    'local',
    'The system reported an error on a socket.',
    'See the cause for the reason the system gave.',
  ),
  ERR_TLS_CERTIFICATE: entry(
    'local',
    'A certificate or private key cannot be used.',
    'Give a PEM certificate chain and the private key that belongs to it.',
  ),
  ERR_TLS_HANDSHAKE: entry(
    'remote',
    'A TLS handshake failed.',
    'See the cause; check names, dates and trust of the certificates on both sides.',
  ),
  ERR_DATAGRAM_UNREACHABLE: entry(
    'remote',
    'A datagram could not be delivered: nobody listens there.',
    'Check that the peer is up on that address.',
  ),
  ERR_FILE_READ: entry(
    'local',
    'A file became shorter, or could not be read, while it was being sent; the peer sees an end that is none.',
    'Replace files by renaming others over them; nothing needs to be done for the one that was sent.',
  ),
  ERR_WORKER: entry(
    'local',
    'A worker thread or process ended while it held this connection.',
    'See the cause; connections of other workers are not affected.',
  ),
  ...TUNNEL_NET_CODES,
  ...CLIENT_NET_CODES,
})

export type ProtocolCode =
  | HttpProtocolCode
  | WebSocketProtocolCode
  | 'ERR_UNEXPECTED_END'
  | 'ERR_LINE_ENDING'
  | 'ERR_LENGTH_PREFIX'
  | 'ERR_NETSTRING'
  | 'ERR_PROXY_HEADER'
  | TunnelProtocolCode
  | ClientProtocolCode
  | 'ERR_TRANSFER'
  | 'ERR_TRANSFER_NAME'
  | 'ERR_TRANSFER_DIGEST'
  | 'ERR_TRANSFER_STORAGE'

export const PROTOCOL_CODES: Table<ProtocolCode> = table({
  ...HTTP_PROTOCOL_CODES,
  ...WEBSOCKET_PROTOCOL_CODES,
  ERR_UNEXPECTED_END: entry('remote', 'The peer ended in the middle of a message.', 'Treat what came as incomplete.'),
  ERR_LINE_ENDING: entry(
    'remote',
    'A line has a CR or an LF alone where lines must end with CR LF.',
    'Send CR LF, or read with the line ending that the peer uses.',
  ),
  ERR_LENGTH_PREFIX: entry(
    'remote',
    'A length prefix is not in its shortest form or does not fit its width.',
    'Check that both sides use the same prefix.',
  ),
  ERR_NETSTRING: entry(
    'remote',
    'A netstring is malformed.',
    'Send <length>:<bytes>, with a decimal length without leading zeros.',
  ),
  ERR_PROXY_HEADER: entry(
    'remote',
    'A PROXY protocol header is missing or malformed.',
    'Only switch it on behind a proxy that sends it, and list that proxy as trusted.',
  ),
  ...TUNNEL_PROTOCOL_CODES,
  ...CLIENT_PROTOCOL_CODES,
  ERR_TRANSFER: entry(
    'remote',
    'The other end of a file transfer broke its protocol.',
    'Check that both ends run moorage, in versions that fit.',
  ),
  ERR_TRANSFER_NAME: entry(
    'remote',
    'A file name in a transfer would leave the folder, or cannot be stored.',
    'Send names relative to the folder, without "..", drive or control characters.',
  ),
  ERR_TRANSFER_DIGEST: entry(
    'remote',
    'A transferred file does not have the digest its sender announced.',
    'Send it again; the partial file was removed.',
  ),
  ERR_TRANSFER_STORAGE: entry(
    'local',
    'A received file could not be stored.',
    'Free space or pick another folder, then send again: what came is kept for resuming.',
  ),
})

export type LimitCode =
  | HttpLimitCode
  | WebSocketLimitCode
  | ClientLimitCode
  | PubsubLimitCode
  | 'ERR_LINE_LIMIT'
  | 'ERR_FRAME_LIMIT'
  | 'ERR_READ_LIMIT'
  | 'ERR_WRITE_BUFFER_LIMIT'
  | 'ERR_QUEUE_LIMIT'
  | 'ERR_DATAGRAM_SIZE'
  | 'ERR_TRANSFER_LIMIT'

export const LIMIT_CODES: Table<LimitCode> = table({
  ...HTTP_LIMIT_CODES,
  ...WEBSOCKET_LIMIT_CODES,
  ...CLIENT_LIMIT_CODES,
  ...PUBSUB_LIMIT_CODES,
  ERR_LINE_LIMIT: entry('remote', 'A line is longer than its limit.', 'Raise maxLineBytes if such lines are expected.'),
  ERR_FRAME_LIMIT: entry(
    'remote',
    'A frame is longer than its limit.',
    'Raise maxFrameBytes if such frames are expected.',
  ),
  ERR_READ_LIMIT: entry(
    'local',
    'More bytes were asked for or given back than a read may hold.',
    'Read in smaller parts.',
  ),
  ERR_WRITE_BUFFER_LIMIT: entry(
    'local',
    'Writes were queued past the hard cap for a peer that does not read.',
    'Await write() before the next one, or give slow peers a policy.',
  ),
  ERR_QUEUE_LIMIT: entry(
    'local',
    'A bounded queue is full.',
    'Take from it as fast as you put, or pick a policy for a full queue.',
  ),
  ERR_DATAGRAM_SIZE: entry(
    'local',
    'A datagram is larger than the transport can carry.',
    'Send smaller datagrams: at most 65,507 bytes over UDP on IPv4.',
  ),
  ERR_TRANSFER_LIMIT: entry(
    'remote',
    'A transfer has more or larger files than the receiver takes.',
    'Raise the receiver’s limits, or send less.',
  ),
})

export type TimeoutCode =
  | 'ERR_CONNECT_TIMEOUT'
  | 'ERR_HANDSHAKE_TIMEOUT'
  | 'ERR_IDLE_TIMEOUT'
  | 'ERR_READ_TIMEOUT'
  | 'ERR_REQUEST_TIMEOUT'
  | 'ERR_HTTP_TIMEOUT'
  | 'ERR_WRITE_TIMEOUT'
  | 'ERR_CLOSE_TIMEOUT'
  | WebSocketTimeoutCode
  | ClientTimeoutCode

export const TIMEOUT_CODES: Table<TimeoutCode> = table({
  ERR_CONNECT_TIMEOUT: entry(
    'remote',
    'No connection was made in time.',
    'Check that the peer can be reached, or raise connectTimeoutMs.',
  ),
  ERR_HANDSHAKE_TIMEOUT: entry(
    'remote',
    'A TLS handshake, a PROXY header or the verifyRequest of a server did not finish in time.',
    'Check the peer, or what verifyRequest waits for, or raise handshakeTimeoutMs.',
  ),
  ERR_IDLE_TIMEOUT: entry(
    'remote',
    'Nothing moved on a connection for too long.',
    'Raise idleTimeoutMs, or send something now and then.',
  ),
  ERR_READ_TIMEOUT: entry('remote', 'A read did not finish in time.', 'Raise its timeoutMs.'),
  ERR_REQUEST_TIMEOUT: entry(
    'remote',
    'No answer came, with all retries.',
    'Check the peer, or raise timeoutMs or retries.',
  ),
  ERR_HTTP_TIMEOUT: entry(
    'remote',
    'A part of an HTTP message did not come in time.',
    'Send faster, or raise headerTimeoutMs, bodyTimeoutMs or keepAliveTimeoutMs.',
  ),
  ERR_WRITE_TIMEOUT: entry(
    'remote',
    'The peer took nothing of what was sent to it for too long.',
    'Read, or raise writeTimeoutMs.',
  ),
  ERR_CLOSE_TIMEOUT: entry(
    'local',
    'The deadline of a close passed and the rest was cut.',
    'See the report for what was cut, or raise graceMs.',
  ),
  ...WEBSOCKET_TIMEOUT_CODES,
  ...CLIENT_TIMEOUT_CODES,
})

export type ClosedCode =
  | 'ERR_CLOSED'
  | 'ERR_WRITE_AFTER_END'
  | 'ERR_SERVER_CLOSED'
  | 'ERR_BROKER_CLOSED'
  | ClientClosedCode

export const CLOSED_CODES: Table<ClosedCode> = table({
  ERR_CLOSED: entry(
    'local',
    'The connection or socket was closed by this side.',
    'Do not use it after close() or destroy().',
  ),
  ERR_WRITE_AFTER_END: entry(
    'local',
    'A write came after closeWrite() or close().',
    'Write everything before you half-close.',
  ),
  ERR_SERVER_CLOSED: entry(
    'local',
    'The server is closing or closed.',
    'Make a new server: one that was closed does not listen again.',
  ),
  ERR_BROKER_CLOSED: entry('local', 'The broker was closed by this side.', 'Open another one.'),
  ...CLIENT_CLOSED_CODES,
})

export type BrokenCode = 'ERR_PEER_RESET' | 'ERR_PEER_GONE' | 'ERR_BROKER_AWAY' | 'ERR_BROKER_GONE'

export const BROKEN_CODES: Table<BrokenCode> = table({
  ERR_PEER_RESET: entry('remote', 'The peer reset the connection.', 'Treat what was not acknowledged as lost.'),
  ERR_PEER_GONE: entry('remote', 'The peer no longer takes what is written.', 'Stop writing; the peer has closed.'),
  ERR_BROKER_AWAY: entry(
    'remote',
    'Redis or NATS cannot be reached, or has not come back within maxAwayMs.',
    'See that it runs and that the URL is right. What was asked is not known to be done when the message says so.',
  ),
  ERR_BROKER_GONE: entry(
    'remote',
    'What stands behind a broker is gone: the server of this worker, for instance.',
    'Treat what was not answered as unknown, and subscribe again from the last position.',
  ),
})

export type BusyCode = 'ERR_BUSY_READ' | 'ERR_BUSY_PART' | 'ERR_BUSY_SINK' | 'ERR_BUSY_WRITE' | 'ERR_MEMBER_TAKEN'

export const BUSY_CODES: Table<BusyCode> = table({
  ERR_BUSY_READ: entry('local', 'Two reads were started on one connection at once.', 'Await one read before the next.'),
  ERR_BUSY_PART: entry(
    'local',
    'Two downloads would write the same file at once.',
    'Await one before the next, or save under another name.',
  ),
  ERR_BUSY_WRITE: entry(
    'local',
    'Something was written while TLS was being started.',
    'Await startTls() before the next write: bytes in between would be neither plain nor secured.',
  ),
  ERR_BUSY_SINK: entry(
    'local',
    'A connection that is read by a sink was also read by pull, or has a sink already.',
    'Use one reading mode for a connection.',
  ),
  ERR_MEMBER_TAKEN: entry(
    'local',
    'A room has a member of that id already, and one of the two wants to be the only one.',
    'Enter under another id.',
  ),
})

export type ErrorCode =
  | UsageCode
  | NetCode
  | ProtocolCode
  | LimitCode
  | TimeoutCode
  | ClosedCode
  | BrokenCode
  | BusyCode

/** Every code of the package. `docs/ERRORS.md` is held to this table, both ways. */
export const CODES: Table<ErrorCode> = {
  ...USAGE_CODES,
  ...NET_CODES,
  ...PROTOCOL_CODES,
  ...LIMIT_CODES,
  ...TIMEOUT_CODES,
  ...CLOSED_CODES,
  ...BROKEN_CODES,
  ...BUSY_CODES,
}
