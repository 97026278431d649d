import { randomBytes } from 'node:crypto'
import { onAbort, throwIfAborted } from '../base/cancellation.js'
import { LimitError } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import type { StreamFunction } from '../server/handlers.js'
import type { Connection } from '../transport/connection.js'
import { PREAMBLE, TransferChannel, unexpected, unexpectedEnd } from './channel.js'
import { errorOf } from './errors.js'
import { IncomingFile } from './incoming-file.js'
import { NONCE_BYTES, type Offer } from './messages.js'
import { showName } from './names.js'
import { RECEIVE_OPTIONS, type ReceiveOptions, type ReceiveSettings } from './options.js'
import { proves } from './proof.js'
import { ProgressMeter, type TransferReport } from './report.js'
import { TargetFolder } from './target-folder.js'

/**
 * Receives what a sender at the other end of the connection sends, into a folder, which is made when it is missing.
 * Resolves when the sender has sent everything. When the connection breaks before, it rejects, and what came is kept:
 * `<name>.part` and its sidecar. The next transfer of the same source goes on from there.
 * @throws ProtocolError `ERR_TRANSFER`, `ERR_TRANSFER_STORAGE` (the folder), `ERR_UNEXPECTED_END`; TimeoutError
 *   `ERR_IDLE_TIMEOUT`; BrokenError; UsageError `ERR_OPTION_…`; the signal's reason, untouched.
 */
export async function receiveFiles(
  connection: Connection,
  folder: string,
  options?: ReceiveOptions,
): Promise<TransferReport> {
  const settings = readOptions('receiveFiles', RECEIVE_OPTIONS, options)
  throwIfAborted(settings.signal)
  const unlink = onAbort(settings.signal, (reason) => connection.destroy(reason))
  const receiver = new Receiver(connection, settings)
  try {
    return await receiver.run(await TargetFolder.open(folder))
  } catch (error) {
    throwIfAborted(settings.signal)
    throw error
  } finally {
    unlink()
    receiver.stop()
  }
}

/**
 * A handler that receives files, for `serve`.
 * @throws UsageError `ERR_OPTION_…`.
 * @example
 * await using server = await serve('tls://0.0.0.0:9000', fileReceiver('incoming'), { tls })
 */
export function fileReceiver(folder: string, options?: ReceiveOptions): StreamFunction {
  readOptions('fileReceiver', RECEIVE_OPTIONS, options)
  return async (connection) => {
    await receiveFiles(connection, folder, options)
  }
}

class Receiver {
  readonly #channel: TransferChannel
  readonly #settings: ReceiveSettings
  readonly #meter: ProgressMeter
  #files = 0
  #bytes = 0

  constructor(connection: Connection, settings: ReceiveSettings) {
    this.#settings = settings
    this.#channel = new TransferChannel(connection, settings.idleTimeoutMs)
    this.#meter = new ProgressMeter(settings)
  }

  stop(): void {
    this.#channel.stop()
  }

  async run(folder: TargetFolder): Promise<TransferReport> {
    const channel = this.#channel
    await this.#greet()
    for (;;) {
      const message = await channel.next()
      if (message === null) throw unexpectedEnd()
      switch (message.type) {
        case 'offer':
          await this.#take(message, folder)
          break
        case 'done':
          await channel.send({ type: 'done' })
          return this.#meter.report
        case 'data':
          // Still on its way when the file was turned down.
          await channel.dropPayload()
          break
        case 'digest':
        case 'complete':
        case 'abort':
          break
        default:
          throw unexpected(message, 'a file')
      }
    }
  }

  async #greet(): Promise<void> {
    const channel = this.#channel
    const nonce = randomBytes(NONCE_BYTES)
    void channel.send(PREAMBLE)
    await channel.send({ type: 'challenge', nonce })
    await channel.expect('preamble')
    const { proof, bytes } = await channel.expect('begin')
    const { token } = this.#settings
    if (token !== undefined && !proves(token, nonce, proof)) {
      const text = proof.length === 0 ? 'the receiver wants a token' : 'the token is wrong'
      await channel.send({ type: 'refuse', reason: 'token', text: `Cannot send: ${text}` })
      throw errorOf('token', `Cannot receive: ${proof.length === 0 ? 'the sender has no token' : text}`)
    }
    this.#meter.expect(bytes)
  }

  async #take(offer: Offer, folder: TargetFolder): Promise<void> {
    this.#meter.begin(offer.name, offer.size)
    const file = new IncomingFile(offer, this.#channel, this.#settings, this.#meter)
    const result = await file.take(async () => {
      this.#checkLimits(offer)
      if (offer.kind === 'file') return folder.placeOf(offer.name)
      await folder.makeFolder(offer)
      return undefined
    })
    this.#meter.end(result)
  }

  #checkLimits({ name, size }: Offer): void {
    const { maxFiles, maxBytes, maxFileBytes } = this.#settings
    if (this.#files + 1 > maxFiles) throw overLimit('maxFiles', `${maxFiles} files and folders are taken at most`)
    if (size > maxFileBytes)
      throw overLimit('maxFileBytes', `${showName(name)} has ${size} bytes, ${maxFileBytes} are taken at most`)
    if (this.#bytes + size > maxBytes) throw overLimit('maxBytes', `${maxBytes} bytes are taken at most`)
    this.#files += 1
    this.#bytes += size
  }
}

const overLimit = (limit: string, what: string): LimitError =>
  new LimitError('ERR_TRANSFER_LIMIT', `Cannot take the file: ${what}`, { details: { limit, reason: 'limit' } })
