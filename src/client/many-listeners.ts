import { setMaxListeners } from 'node:events'
import type { AbortSignalLike } from '../base/cancellation.js'

/** One signal for many requests is what signals are for: Node warns of more than ten listeners. */
export function allowMany(signal: AbortSignalLike | undefined): void {
  if (signal instanceof EventTarget) setMaxListeners(0, signal)
}
