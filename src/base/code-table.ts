/** Who is to blame: `local` is this program or this machine, `remote` is the peer. */
export type Fault = 'local' | 'remote'

export interface CodeEntry {
  readonly fault: Fault
  /** What happened, in a sentence. */
  readonly summary: string
  /** What the reader of the error can do. */
  readonly remedy: string
}

export type Table<Code extends string> = Readonly<Record<Code, CodeEntry>>

export function table<const T extends Readonly<Record<string, CodeEntry>>>(entries: T): T {
  return Object.freeze(entries)
}

export const entry = (fault: Fault, summary: string, remedy: string): CodeEntry => ({ fault, summary, remedy })
