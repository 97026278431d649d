/** Where time comes from: the system's, or a test's. Time is a number of milliseconds that never goes back. */
export interface Clock {
  now(): number
  /** Calls `run` once, `milliseconds` from now; what it returns cancels that. `Infinity` never calls. */
  after(milliseconds: number, run: () => void): () => void
  /** Calls `run` soon, after the code that runs now. */
  soon(run: () => void): void
}
