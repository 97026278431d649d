import type { Program } from '../fixtures/program.js'

/** What a client says and sees: everything that it read, in one string. */
export type Conversation = (endpoint: string, program: Program) => Promise<string>

/** A program in Python and its other half, which show this client the same. */
export interface Pair {
  readonly name: string
  /** The reason why it cannot be run here. */
  readonly skip?: string | false
  readonly args?: (language: string) => readonly string[]
  readonly talk: Conversation
  /** What the client must have seen. */
  readonly seen: string
  /** What the program printed after its first line. */
  readonly printed?: string
  /** Whether it ends by itself. */
  readonly ends?: boolean
}
