/** A promise with its two ends outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T | PromiseLike<T>) => void
  readonly reject: (reason: unknown) => void
}

/** One fulfilled promise for all: cheaper than a new one, and known for what it is without waiting a turn. */
export const DONE: Promise<void> = Promise.resolve()

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T | PromiseLike<T>) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

const ignore = (): void => undefined

/** Marks a promise as handled: its rejection reaches whoever awaits it, and never becomes an unhandled one. */
export function markHandled<T>(promise: Promise<T>): Promise<T> {
  promise.then(ignore, ignore)
  return promise
}

/** One whose rejection is nobody's fault when nobody waits. */
export function handledDeferred(): Deferred<void> {
  const made = deferred<void>()
  void markHandled(made.promise)
  return made
}
