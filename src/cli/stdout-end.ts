import { errorCodeOf } from '../base/index.js'
import { EXIT } from './command.js'
import { storageWords } from './storage-words.js'

/** Why stdout takes no more. */
export class StdoutEnd extends Error {
  /** Its reader has gone (`| head`): it has what it wanted, and nothing went wrong. */
  readonly isReaderGone: boolean

  constructor(cause: unknown) {
    super(`Cannot write to stdout: ${storageWords(cause)}`, { cause })
    this.isReaderGone = errorCodeOf(cause) === 'EPIPE'
  }

  /** What a command exits with that would have exited with `code`: what went wrong before is worse. */
  exitFor(code: number, stdoutExit: number | undefined): number {
    if (code !== EXIT.ok) return code
    return stdoutExit ?? (this.isReaderGone ? EXIT.ok : EXIT.failed)
  }
}
