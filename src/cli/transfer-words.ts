import { messageOf } from '../base/index.js'
import type { FileResult, Progress, TransferReport } from '../transfer/index.js'
import type { Output } from './output.js'
import { formatBytes, ProgressLine } from './progress.js'

/** What `send` and `receive` say of a transfer, in words or as JSON. */
export class TransferWords {
  readonly #output: Output
  readonly #line: ProgressLine
  #last: Progress | undefined

  constructor(output: Output) {
    this.#output = output
    this.#line = new ProgressLine(output)
  }

  readonly onProgress = (progress: Progress): void => {
    this.#last = progress
    this.#line.update(progress)
  }

  readonly onFile = (result: FileResult): void => {
    this.#line.clear()
    const { name, status, bytes, error, sha256 } = result
    const fields = { ...result, event: 'file', error: undefined, code: error?.code, reason: error?.details['reason'] }
    const shown = plainName(name)
    if (status === 'stored') this.#output.note(`${shown}: ${formatBytes(bytes)}${tail(sha256)}`, fields)
    else if (status === 'present') this.#output.note(`${shown}: already there`, fields)
    else if (status === 'skipped') this.#output.warn(`${shown}: left out, it is no file and no folder`, fields)
    else this.#output.warn(`${shown}: ${status}: ${messageOf(error)}`, fields)
  }

  finished({ files, failed, transferredBytes }: TransferReport): void {
    this.#line.clear()
    const words = failed === 0 ? `${files.length} done` : `${files.length - failed} done, ${failed} not`
    const fields = { event: 'finished', files: files.length, failed, transferredBytes }
    this.#output.note(`${words}, ${formatBytes(transferredBytes)} transferred`, fields)
  }

  interrupted(error: unknown, what: string): void {
    this.#line.clear()
    const { name, bytes, transferredBytes = 0 } = this.#last ?? {}
    const fields = { event: 'interrupted', error, name, bytes, transferredBytes }
    this.#last = undefined
    this.#output.warn(`${messageOf(error)}; ${what}`, fields)
  }
}

const tail = (sha256: string | undefined): string => (sha256 === undefined ? '' : `, SHA-256 ${sha256.slice(0, 16)}…`)

/** A name of the peer, which cannot steer the terminal. */
const plainName = (name: string): string => name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}')
