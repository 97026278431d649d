import { equalBytes } from '../base/bytes.js'
import { messageOf, MoorageError, ProtocolError } from '../base/errors.js'
import { unexpected, unexpectedEnd, type TransferChannel } from './channel.js'
import { asStorageError, errorOf, reasonOf } from './errors.js'
import { digestFile, digestSoFar, newHash, toHex } from './file-digest.js'
import type { Offer, Reason, Status } from './messages.js'
import { showName } from './names.js'
import type { ReceiveSettings } from './options.js'
import { PartialFile, removeLeftovers } from './partial-file.js'
import { lockPart } from './part-lock.js'
import type { FileResult, ProgressMeter } from './report.js'
import { statOf, type Place } from './target-folder.js'

/** One file or folder that was offered, from there to its result. */
export class IncomingFile {
  readonly #offer: Offer
  readonly #channel: TransferChannel
  readonly #settings: ReceiveSettings
  readonly #meter: ProgressMeter
  #told = false
  #resumedAt = 0
  #transferred = 0
  #sha256: string | undefined

  constructor(offer: Offer, channel: TransferChannel, settings: ReceiveSettings, meter: ProgressMeter) {
    this.#offer = offer
    this.#channel = channel
    this.#settings = settings
    this.#meter = meter
  }

  /**
   * Takes the file to where `place` says (`undefined` for a folder, which is made then), tells the sender how that went,
   * and resolves with the same. Rejects only for what ends the connection.
   */
  async take(place: () => Promise<Place | undefined>): Promise<FileResult> {
    try {
      const found = await place()
      const status = found === undefined ? 'stored' : await this.#takeTo(found)
      await this.#channel.send({ type: 'result', id: this.#offer.id, status, reason: 'none', text: '' })
      return this.#result(status, undefined)
    } catch (thrown) {
      const error = asStorageError(`take ${showName(this.#offer.name)}`, thrown)
      if (error instanceof SourceFailure) return await this.#tell('failed', 'source', error.error)
      const reason = error instanceof MoorageError ? reasonOf(error) : undefined
      if (reason === undefined || !(error instanceof MoorageError)) throw error
      const status = reason === 'digest' || reason === 'storage' ? 'failed' : 'refused'
      return await this.#tell(status, reason, error)
    }
  }

  async #tell(status: Status, reason: Reason, error: MoorageError): Promise<FileResult> {
    if (!this.#told) {
      this.#told = true
      await this.#channel.send({ type: 'result', id: this.#offer.id, status, reason, text: messageOf(error) })
    }
    return this.#result(status, error)
  }

  #result(status: Status, error: MoorageError | undefined): FileResult {
    const { name, size } = this.#offer
    const [resumedAt, transferredBytes, sha256] = [this.#resumedAt, this.#transferred, this.#sha256]
    return { name, status, bytes: size, resumedAt, transferredBytes, sha256, error }
  }

  async #takeTo(place: Place): Promise<Status> {
    const { hasDigest, name } = this.#offer
    if (!hasDigest && this.#settings.requireChecksum)
      throw new ProtocolError('ERR_TRANSFER_DIGEST', `Cannot take ${showName(name)}: the sender gives no SHA-256`)
    const unlock = await lockPart(place.lock)
    try {
      if (await this.#isPresent(place)) {
        await removeLeftovers(place)
        return 'present'
      }
      const part = await PartialFile.open(place, this.#offer, this.#settings.sync)
      await this.#fill(part)
      return 'stored'
    } finally {
      await unlock()
    }
  }

  /** @throws ProtocolError `ERR_TRANSFER_STORAGE` when something else has the name. */
  async #isPresent({ target }: Place): Promise<boolean> {
    const { name, size, mtimeNs } = this.#offer
    const { overwrite } = this.#settings
    const found = await statOf(target)
    if (found === undefined) return false
    if (!found.isFile()) throw exists(`something that is no file has the name ${showName(name)}`)
    const mayBeEqual = found.size === size && (!overwrite || Math.abs(found.mtimeMs - Number(mtimeNs) / 1e6) < 1)
    if (mayBeEqual && (await this.#agrees(size, digestFile(target, size)))) return true
    if (!overwrite) throw exists(`another file has the name ${showName(name)}, and overwriting was not asked for`)
    return false
  }

  /** Whether the first `length` bytes at both ends have the same digest; both compute it at the same time. */
  async #agrees(length: number, computing: Promise<Uint8Array>): Promise<boolean> {
    const { id } = this.#offer
    const asked = this.#channel.send({ type: 'ask', id, length })
    const own = await this.#channel.whileBusy(computing)
    await asked
    const message = await this.#channel.next()
    if (message === null) throw unexpectedEnd()
    if (message.type === 'abort') throw new SourceFailure(message.text)
    if (message.type !== 'digest') throw unexpected(message, 'a digest')
    const agrees = equalBytes(own, message.digest)
    if (agrees) this.#sha256 = toHex(own)
    return agrees
  }

  async #fill(part: PartialFile): Promise<void> {
    try {
      await this.#receive(part)
    } catch (error) {
      const isWrong = error instanceof ProtocolError && error.code === 'ERR_TRANSFER_DIGEST'
      await (isWrong ? part.discard() : part.keep())
      throw error
    }
  }

  async #receive(part: PartialFile): Promise<void> {
    const { id, size, mode, mtimeNs, hasDigest } = this.#offer
    let hash = newHash()
    if (part.written > 0) {
      const start = part.written
      const hashing = part.hashStart(hash, start).then(() => digestSoFar(hash))
      if (!(await this.#agrees(start, hashing))) {
        await part.restart()
        hash = newHash()
      }
    }
    this.#sha256 = undefined
    this.#resumedAt = part.written
    this.#meter.resume(this.#resumedAt)
    part.onWritten = (offset) => void this.#channel.send({ type: 'ack', id, offset })
    part.onFailed = (error) => void this.#tell('failed', 'storage', error)
    await this.#channel.send({ type: 'go', id, offset: this.#resumedAt })
    const announced = await this.#receiveData(part, hasDigest ? hash : undefined)
    if (this.#resumedAt + this.#transferred !== size)
      throw new ProtocolError('ERR_TRANSFER', 'Cannot take the file: it ended before its size')
    if (hasDigest) {
      const digest = hash.digest()
      if (!equalBytes(digest, announced))
        throw new ProtocolError('ERR_TRANSFER_DIGEST', 'Cannot take the file: its SHA-256 is not that of the source')
      this.#sha256 = toHex(digest)
    }
    await this.#channel.whileBusy(part.finish(mode, mtimeNs, this.#settings.overwrite))
  }

  /** Resolves with the digest that the sender announces. */
  async #receiveData(part: PartialFile, hash: ReturnType<typeof newHash> | undefined): Promise<Uint8Array> {
    const room = this.#offer.size - this.#resumedAt
    for (;;) {
      const message = await this.#channel.next()
      if (message === null) throw unexpectedEnd()
      if (message.type === 'data') {
        if (message.length > room - this.#transferred)
          throw new ProtocolError('ERR_TRANSFER', 'Cannot take the file: more came than its size')
        for (let bytes = await this.#channel.nextPayload(); bytes !== null; bytes = await this.#channel.nextPayload()) {
          this.#transferred += bytes.length
          const written = part.write(bytes)
          hash?.update(bytes)
          this.#meter.moved(bytes.length)
          await written
        }
        continue
      }
      if (part.failure !== undefined) {
        // The sender has heard of it and goes on.
        this.#channel.unread(message)
        throw part.failure
      }
      if (message.type === 'abort') throw new SourceFailure(message.text)
      if (message.type !== 'complete') throw unexpected(message, 'the bytes of a file')
      return message.digest
    }
  }
}

/** The sender cannot read its file to the end. */
class SourceFailure extends Error {
  readonly error: MoorageError
  constructor(text: string) {
    super(text)
    this.error = errorOf('source', `Cannot take the file: the sender says ${JSON.stringify(text)}`)
  }
}

const exists = (what: string): ProtocolError =>
  new ProtocolError('ERR_TRANSFER_STORAGE', `Cannot take the file: ${what}`, { details: { reason: 'exists' } })
