import type { Clock } from './clock.js'

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

/** A time limit, as one more reason to cancel. */
export interface Deadline {
  readonly clock: Clock
  /** From now; `Infinity` is no limit. */
  readonly timeoutMs: number
  /** Makes the reason, when the time is over. */
  readonly reason: () => unknown
}

/**
 * Calls `listener` once, with the reason of whichever comes first: a signal that aborts (at once if one has), or the
 * deadline. Call what it returns on every path on which the wait ends: then no signal holds a listener, and no timer runs.
 */
export function onFirstAbort(
  signals: readonly (AbortSignalLike | undefined)[],
  deadline: Deadline | undefined,
  listener: (reason: unknown) => void,
): () => void {
  const links: (() => void)[] = []
  let over = false
  const unlink = (): void => {
    over = true
    for (const cut of links.splice(0)) cut()
  }
  const first = (reason: unknown): void => {
    if (over) return
    unlink()
    listener(reason)
  }
  for (const signal of signals) {
    if (over) return unlink
    links.push(onAbort(signal, first))
  }
  if (deadline !== undefined && !over) {
    links.push(deadline.clock.after(deadline.timeoutMs, () => first(deadline.reason())))
  }
  return unlink
}

/** A signal that aborts with the first of several signals and a deadline, until it is unlinked. */
export interface LinkedSignal extends AbortSignalLike {
  /** It aborts no more. Call it when the work is over. */
  readonly unlink: () => void
}

/** One signal from several and a deadline, for work that takes one signal; see `onFirstAbort`. */
export function linkSignals(
  signals: readonly (AbortSignalLike | undefined)[],
  deadline: Deadline | undefined,
): LinkedSignal {
  return new FirstOfSignals(signals, deadline)
}

class FirstOfSignals implements LinkedSignal {
  readonly #listeners = new Set<() => void>()
  #aborted: { readonly reason: unknown } | undefined
  readonly unlink: () => void

  constructor(signals: readonly (AbortSignalLike | undefined)[], deadline: Deadline | undefined) {
    this.unlink = onFirstAbort(signals, deadline, (reason) => {
      this.#aborted = { reason }
      const listeners = [...this.#listeners]
      this.#listeners.clear()
      for (const listener of listeners) listener()
    })
  }

  get aborted(): boolean {
    return this.#aborted !== undefined
  }

  get reason(): unknown {
    return this.#aborted?.reason
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.#aborted === undefined) this.#listeners.add(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener)
  }
}

/** What comes of a promise. @throws the reason of the signal, or that of the deadline, when that is before. */
export async function besideSignal<T>(
  promise: T | Promise<T>,
  signal: AbortSignalLike | undefined,
  deadline?: Deadline,
): Promise<T> {
  let unlink = nothingToUnlink
  const aborted = new Promise<never>((_resolve, reject) => {
    unlink = onFirstAbort([signal], deadline, reject)
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    unlink()
  }
}
