/** Why a row could not be tried here. */
export interface Skipped {
  readonly skipped: string
}

/** One sentence of a contract, and its trial on what the factory makes. A run that cannot be made here says why. */
export interface ContractRow<Factory> {
  readonly name: string
  run(factory: Factory): Promise<void | Skipped>
}

/** How long a trial waits for something that must come: generous, for machines under load. */
export const CONTRACT_WAIT_MS = 10_000

/** Waits by turns of the event loop until a condition holds. */
export async function until(what: string, holds: () => boolean, waitMs: number = CONTRACT_WAIT_MS): Promise<void> {
  const deadline = performance.now() + waitMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}`)
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 1)
    })
  }
}

/** Lets the event loop come round so often: what is due by now has happened then. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
}

/** Rejects when the promise has not settled in time, naming what was waited for. */
export async function within<T>(what: string, promise: Promise<T>, waitMs: number = CONTRACT_WAIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited in vain: ${what}`)), waitMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What `assert.rejects` compares an error with. */
export const withCode = (code: string): { readonly code: string } => ({ code })

/** Bytes that tell where they stand: no two stretches of them are alike for long. */
export function patternBytes(length: number, seed: number = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed >>> 0
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}
