import { open, type FileHandle } from 'node:fs/promises'
import { onAbort, throwIfAborted } from '../base/cancellation.js'
import { EMPTY_BYTES } from '../base/bytes.js'
import { messageOf, ProtocolError, UsageError, type MoorageError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import type { Connection } from '../transport/connection.js'
import { PREAMBLE, TransferChannel } from './channel.js'
import { storageError, errorOf } from './errors.js'
import { digestSoFar, hashStart, newHash, toHex } from './file-digest.js'
import { entryOf, walkSource, type SendSource, type SourceEntry } from './folder.js'
import { SenderInbox, type Answer } from './inbox.js'
import type { Status } from './messages.js'
import { SEND_OPTIONS, type SendOptions, type SendSettings } from './options.js'
import { proofOf } from './proof.js'
import { ProgressMeter, type FileResult, type TransferReport } from './report.js'
import { FileStream } from './file-stream.js'

/**
 * Sends files, and folders with all that is in them, to a receiver at the other end of the connection. After an
 * interruption call it again over a new connection: what the receiver has is not sent again. The connection stays open;
 * close it when this has resolved or rejected.
 *
 * What happens to single files is in the report, and does not end the transfer; what ends it rejects.
 * @throws ProtocolError `ERR_TRANSFER`, `ERR_UNEXPECTED_END`; TimeoutError `ERR_IDLE_TIMEOUT`; BrokenError; UsageError
 *   `ERR_ARGUMENT` for a path that cannot be read, `ERR_OPTION_…`; the signal's reason, untouched.
 * @example
 * await using connection = await connect('tcp://127.0.0.1:9000')
 * const { files } = await sendFiles(connection, ['photos', 'notes.txt'])
 */
export async function sendFiles(
  connection: Connection,
  sources: readonly (string | SendSource)[],
  options?: SendOptions,
): Promise<TransferReport> {
  const settings = readOptions('sendFiles', SEND_OPTIONS, options)
  throwIfAborted(settings.signal)
  const unlink = onAbort(settings.signal, (reason) => connection.destroy(reason))
  const sender = new Sender(connection, settings)
  try {
    return await sender.run(sources)
  } catch (error) {
    throwIfAborted(settings.signal)
    throw error
  } finally {
    unlink()
    sender.stop()
  }
}

class Sender {
  readonly #channel: TransferChannel
  readonly #inbox: SenderInbox
  readonly #settings: SendSettings
  readonly #meter: ProgressMeter
  #lastId = 0

  constructor(connection: Connection, settings: SendSettings) {
    this.#settings = settings
    this.#channel = new TransferChannel(connection, settings.idleTimeoutMs)
    this.#inbox = new SenderInbox(this.#channel)
    this.#meter = new ProgressMeter(settings)
  }

  stop(): void {
    this.#channel.stop()
  }

  async run(sources: readonly (string | SendSource)[]): Promise<TransferReport> {
    const planned = await planOf(sources)
    this.#meter.expect(planned.bytes)
    await this.#channel.send(PREAMBLE)
    await this.#channel.expect('preamble')
    const { nonce } = await this.#channel.expect('challenge')
    const { token } = this.#settings
    const proof = token === undefined ? EMPTY_BYTES : proofOf(token, nonce)
    await this.#channel.send({ type: 'begin', ...planned, proof })
    this.#inbox.start()
    for (const source of sources) {
      for await (const entry of walkSource(source)) {
        if (this.#settings.skip?.(entry.name) === true) {
          this.#meter.pass(entry.size)
          continue
        }
        const goesOn = await this.#sendEntry(entry)
        if (!goesOn) return this.#finish()
      }
    }
    return this.#finish()
  }

  async #finish(): Promise<TransferReport> {
    await this.#channel.send({ type: 'done' })
    await this.#inbox.done()
    return this.#meter.report
  }

  /** Resolves with false when the receiver takes no more. */
  async #sendEntry(entry: SourceEntry): Promise<boolean> {
    const { name, kind, size } = entry
    this.#meter.begin(name, size)
    if (kind === 'other') {
      this.#meter.end({ ...untouched(entry), status: 'skipped', error: undefined })
      return true
    }
    const result = kind === 'file' ? await this.#sendFile(entry) : await this.#sendFolder(entry)
    this.#meter.end(result)
    return result.error?.code !== 'ERR_TRANSFER_LIMIT' || result.error.details['limit'] === 'maxFileBytes'
  }

  async #offer({ kind, mode, size, mtimeNs, name }: SourceEntry): Promise<number> {
    const id = (this.#lastId += 1)
    const offered = kind === 'folder' ? ('folder' as const) : ('file' as const)
    const hasDigest = offered === 'file' && this.#settings.checksum
    await this.#channel.send({ type: 'offer', id, kind: offered, hasDigest, mode, size, mtimeNs, name })
    return id
  }

  async #sendFolder(entry: SourceEntry): Promise<FileResult> {
    const answer = await this.#inbox.answer(await this.#offer(entry))
    if (answer.type === 'result') return { ...untouched(entry), ...outcomeOf(answer) }
    throw new ProtocolError('ERR_TRANSFER', `Cannot send a folder: the other end answered with "${answer.type}"`)
  }

  async #sendFile(listed: SourceEntry): Promise<FileResult> {
    let file: FileHandle
    try {
      file = await open(listed.path, 'r')
    } catch (cause) {
      return { ...untouched(listed), status: 'failed', error: storageError(`read ${listed.path}`, cause) }
    }
    try {
      // What it is now, and not when the folder was listed.
      const entry = entryOf(listed.path, listed.name, await file.stat({ bigint: true }))
      return await this.#sendOpenFile(entry, file)
    } finally {
      await file.close()
    }
  }

  async #sendOpenFile(entry: SourceEntry, file: FileHandle): Promise<FileResult> {
    const id = await this.#offer(entry)
    let answer = await this.#inbox.answer(id)
    let hash = newHash()
    let hashed = 0
    let digest: Uint8Array | undefined
    // Of the whole, when a file of this name is there; of the start, when a part of this one is.
    while (answer.type === 'ask') {
      const { length } = answer
      if (length > entry.size)
        throw new ProtocolError('ERR_TRANSFER', 'Cannot send: the other end asks for more than the file has')
      hash = newHash()
      hashed = await this.#channel.whileBusy(hashStart(hash, file, length, () => this.#inbox.isBroken))
      digest = digestSoFar(hash)
      await this.#channel.send({ type: 'digest', id, digest })
      answer = await this.#inbox.answer(id)
    }
    if (answer.type === 'result') {
      const known = answer.status === 'present' && digest !== undefined ? toHex(digest) : undefined
      return { ...untouched(entry), sha256: known, ...outcomeOf(answer) }
    }
    const { offset } = answer
    if (offset !== 0 && offset !== hashed)
      throw new ProtocolError('ERR_TRANSFER', 'Cannot send: the other end wants an offset that was not compared')
    if (offset === 0) hash = newHash()
    this.#meter.resume(offset)
    const stream = new FileStream(file, entry.size, this.#inbox, this.#channel.connection, this.#settings.windowBytes)
    const sent = await stream.send(offset, this.#settings.checksum ? hash : undefined, this.#meter)
    const result = await this.#conclude(entry, id, file, sent === 'whole', hash)
    return { ...result, resumedAt: offset, transferredBytes: stream.sentBytes }
  }

  /** Says how the file ended at this end, and hears how it did at the other. */
  async #conclude(
    entry: SourceEntry,
    id: number,
    file: FileHandle,
    isWhole: boolean,
    hash: ReturnType<typeof newHash>,
  ): Promise<FileResult> {
    const now = await file.stat({ bigint: true })
    const isSame = isWhole && Number(now.size) === entry.size && now.mtimeNs === entry.mtimeNs
    const digest = this.#settings.checksum && isSame ? hash.digest() : EMPTY_BYTES
    const early = this.#inbox.resultOf(id)
    if (early === undefined && isSame) await this.#channel.send({ type: 'complete', id, digest })
    else if (early === undefined)
      await this.#channel.send({ type: 'abort', id, text: 'the file changed while it was sent' })
    const answer = early ?? (await this.#inbox.answer(id))
    if (answer.type !== 'result')
      throw new ProtocolError('ERR_TRANSFER', `Cannot send: a message "${answer.type}" came for a file that was sent`)
    const sha256 = digest.length > 0 && answer.status === 'stored' ? toHex(digest) : undefined
    return { ...untouched(entry), sha256, ...outcomeOf(answer) }
  }
}

const untouched = ({ name, size }: SourceEntry): Omit<FileResult, 'status' | 'error'> => ({
  name,
  bytes: size,
  resumedAt: 0,
  transferredBytes: 0,
  sha256: undefined,
})

function outcomeOf({ status, reason, text }: Extract<Answer, { type: 'result' }>): {
  readonly status: Status
  readonly error: MoorageError | undefined
} {
  return { status, error: status === 'stored' || status === 'present' ? undefined : errorOf(reason, text) }
}

/** How many files and bytes there are to send. */
async function planOf(
  sources: readonly (string | SendSource)[],
): Promise<{ readonly files: number; readonly bytes: number }> {
  let files = 0
  let bytes = 0
  for (const source of sources) {
    try {
      for await (const { kind, size } of walkSource(source)) {
        if (kind !== 'other') files += 1
        bytes += size
      }
    } catch (cause) {
      const path = typeof source === 'string' ? source : source.path
      throw new UsageError('ERR_ARGUMENT', `Cannot send ${path}: ${messageOf(cause)}`, { cause })
    }
  }
  return { files, bytes }
}
