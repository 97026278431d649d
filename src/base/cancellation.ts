/** The part of `AbortSignal` that this package needs, so that engines and base compile without DOM or Node types. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export const nothingToUnlink = (): void => undefined

/** @throws `signal.reason`, untouched, when the signal is aborted. */
export function throwIfAborted(signal: AbortSignalLike | undefined): void {
  if (signal?.aborted) throw signal.reason
}

/**
 * Calls `listener` once when the signal aborts (at once if it has). Call what it returns on every path on which the
 * wait ends, or a long-lived signal collects listeners.
 */
export function onAbort(signal: AbortSignalLike | undefined, listener: (reason: unknown) => void): () => void {
  if (signal === undefined) return nothingToUnlink
  if (signal.aborted) {
    listener(signal.reason)
    return nothingToUnlink
  }
  const heard = (): void => listener(signal.reason)
  signal.addEventListener('abort', heard, { once: true })
  return () => signal.removeEventListener('abort', heard)
}
