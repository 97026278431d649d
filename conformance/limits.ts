import type { DeflateOptions, WebSocketOptions } from 'moorage/websocket'

/** The suite sends messages of 16 MiB, one of 4 MiB in frames of 64 bytes, and compressed ones of 16 bytes. */
export const RAISED = {
  maxMessageBytes: 64 * 1024 * 1024,
  maxFragments: 1_000_000,
} as const satisfies WebSocketOptions

export const COMPRESSION: DeflateOptions = { thresholdBytes: 0 }
