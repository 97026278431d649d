export { connectWebSocket, type ClientState, type WebSocketClient } from './client.js'
export type { MessageCounts } from './counters.js'
export type { DeflateOptions } from './deflate-options.js'
export {
  WebSocketHandler,
  type WebSocketFunction,
  type WebSocketHandlerClass,
  type WebSocketSource,
} from './handlers.js'
export { jsonMessages } from './json.js'
export type { WebSocketReport } from './link.js'
export type {
  OriginPolicy,
  ReconnectOptions,
  SlowReaderPolicy,
  WebSocketClientOptions,
  WebSocketOptions,
} from './options.js'
export type { Message } from './outgoing.js'
export type { WebSocketPeer } from './peer.js'
export { websocket, type WebSocketService } from './server.js'
export { SharedFrame } from './shared-frame.js'
export { Group, Groups, type GroupCodec, type JoinOptions } from './groups.js'
export { roomEvents, type RoomEventsOptions } from './room-events.js'
export {
  connectRooms,
  type FollowListener,
  type FollowOptions,
  type ReceivedGap,
  type ReceivedMessage,
  type RoomsClient,
} from './rooms-client.js'
export { ROOMS_PROTOCOL, type RoomsEvent, type RoomsRequest } from './rooms-protocol.js'
export { roomsHandler, type RoomsAction, type RoomsAuthorizer, type RoomsOptions } from './rooms-server.js'
