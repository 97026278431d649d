import { randomBytes } from 'node:crypto'
import type { Digest } from './fields.js'
import type { UploadFolder } from './folder.js'
import { partName } from './names.js'
import type { UploadSettings } from './options.js'
import { UploadPart, type UploadSource } from './part.js'
import { publish, type Conditions, type Published } from './publish.js'

/** Nobody guesses it: who knows the address of an upload may go on with it. */
export const newUploadId = (): string => randomBytes(16).toString('hex')

export interface Incoming {
  readonly name: string
  readonly source: UploadSource
  /** Where it is known before. */
  readonly length: number | undefined
  readonly digests: readonly Digest[]
  readonly conditions: Conditions
}

/**
 * Receives a file in one go: under another name, flushed, compared with its digests, then renamed. What fails leaves
 * nothing behind, and the old file whole.
 * @throws HttpError 400, 409, 412, 413, 507; what ended the source.
 */
export async function storeFile(
  folder: UploadFolder,
  { name, source, length, digests, conditions }: Incoming,
  { maxFileBytes, minFreeBytes, overwrite }: UploadSettings,
): Promise<Published> {
  const part = await UploadPart.create(folder, partName(newUploadId()), { maxBytes: maxFileBytes, minFreeBytes })
  try {
    await part.checkRoom(length ?? 0)
    await part.take(source)
    await part.check(digests)
    await part.finish()
    return await publish(folder, part.name, name, conditions, overwrite)
  } catch (error) {
    await part.discard()
    throw error
  }
}
