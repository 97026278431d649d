/** What a transfer connection begins with on both sides; a byte with the version follows. */
export const MAGIC = 'MOORAGE'
export const VERSION = 1
export const DIGEST_BYTES = 32
export const NONCE_BYTES = 32
export const MAX_NAME_BYTES = 4096
export const MAX_TEXT_BYTES = 1024
export const MAX_DATA_BYTES = 1_048_576

/** What became of one file. */
export type Status = 'stored' | 'present' | 'refused' | 'failed'
/** On the wire each is its place here. */
export const STATUSES: readonly Status[] = ['stored', 'present', 'refused', 'failed']

/** Why a file or a whole connection was turned down. */
export type Reason = 'none' | 'name' | 'exists' | 'busy' | 'limit' | 'storage' | 'digest' | 'source' | 'token'
export const REASONS: readonly Reason[] = [
  'none',
  'name',
  'exists',
  'busy',
  'limit',
  'storage',
  'digest',
  'source',
  'token',
]

export interface Offer {
  readonly type: 'offer'
  readonly id: number
  readonly kind: 'file' | 'folder'
  /** Whether the digest of the whole will follow. */
  readonly hasDigest: boolean
  readonly mode: number
  readonly size: number
  readonly mtimeNs: bigint
  /** With `/` between folders. */
  readonly name: string
}

/** Every message of the protocol; docs/transfer.md has their bytes. */
export type Message =
  | { readonly type: 'preamble'; readonly version: number }
  /** Receiver: answer the nonce with the token, if there is one. */
  | { readonly type: 'challenge'; readonly nonce: Uint8Array }
  /** Sender: how much will come, and the proof (0 bytes without a token). */
  | { readonly type: 'begin'; readonly files: number; readonly bytes: number; readonly proof: Uint8Array }
  | Offer
  /** Receiver: what is the digest of your first `length` bytes? */
  | { readonly type: 'ask'; readonly id: number; readonly length: number }
  | { readonly type: 'digest'; readonly id: number; readonly digest: Uint8Array }
  /** Receiver: send from `offset` on. */
  | { readonly type: 'go'; readonly id: number; readonly offset: number }
  /** `length` bytes of the file follow as they are: they are no part of the event. */
  | { readonly type: 'data'; readonly length: number }
  /** Sender: that was all; the digest of the whole has 0 bytes when there is none. */
  | { readonly type: 'complete'; readonly id: number; readonly digest: Uint8Array }
  /** Receiver: everything below `offset` is in the partial file. */
  | { readonly type: 'ack'; readonly id: number; readonly offset: number }
  | {
      readonly type: 'result'
      readonly id: number
      readonly status: Status
      readonly reason: Reason
      readonly text: string
    }
  /** Busy with the disk: nothing is wrong. */
  | { readonly type: 'alive' }
  /** Sender: this file cannot be read to its end. */
  | { readonly type: 'abort'; readonly id: number; readonly text: string }
  | { readonly type: 'done' }
  /** Receiver: the whole connection is turned down. */
  | { readonly type: 'refuse'; readonly reason: Reason; readonly text: string }

export type MessageType = Message['type']

interface Shape {
  readonly code: number
  readonly minBytes: number
  readonly maxBytes: number
}

/** Each frame is a type byte, a length in four bytes, and so many bytes: these are the bounds of that length. */
export const SHAPES: Readonly<Record<Exclude<MessageType, 'preamble'>, Shape>> = {
  challenge: { code: 1, minBytes: NONCE_BYTES, maxBytes: NONCE_BYTES },
  begin: { code: 2, minBytes: 12, maxBytes: 12 + DIGEST_BYTES },
  offer: { code: 3, minBytes: 25, maxBytes: 24 + MAX_NAME_BYTES },
  ask: { code: 4, minBytes: 12, maxBytes: 12 },
  digest: { code: 5, minBytes: 4 + DIGEST_BYTES, maxBytes: 4 + DIGEST_BYTES },
  go: { code: 6, minBytes: 12, maxBytes: 12 },
  data: { code: 7, minBytes: 1, maxBytes: MAX_DATA_BYTES },
  complete: { code: 8, minBytes: 4, maxBytes: 4 + DIGEST_BYTES },
  ack: { code: 9, minBytes: 12, maxBytes: 12 },
  result: { code: 10, minBytes: 6, maxBytes: 6 + MAX_TEXT_BYTES },
  alive: { code: 11, minBytes: 0, maxBytes: 0 },
  abort: { code: 12, minBytes: 4, maxBytes: 4 + MAX_TEXT_BYTES },
  done: { code: 13, minBytes: 0, maxBytes: 0 },
  refuse: { code: 14, minBytes: 1, maxBytes: 1 + MAX_TEXT_BYTES },
}

export const HEADER_BYTES = 5
