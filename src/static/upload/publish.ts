import { formatEntityTag } from '../../engine/http/etag.js'
import type { FieldSource } from '../../engine/http/fields.js'
import { evaluatePreconditions } from '../../engine/http/preconditions.js'
import { HttpError } from '../../http/response.js'
import type { Found, UploadFolder } from './folder.js'
import { storageError } from './storage.js'

/** What the client asks to be so before anything changes (RFC 9110 §13). */
export type Conditions = Readonly<Record<string, string>>

export function conditionsOf(fields: FieldSource): Conditions {
  const found: Record<string, string> = {}
  for (const name of ['if-match', 'if-none-match', 'if-unmodified-since']) {
    const value = fields.get(name)
    if (value !== undefined) found[name] = value
  }
  return found
}

export interface Published {
  readonly isNew: boolean
  readonly size: number
  readonly etag: string
}

/**
 * Whether a file may have this name now: asked before anything is received, and once more before it gets it.
 * @throws HttpError 412 when a condition does not hold; 409 for the name of a folder, or of a file that is not to be
 *   overwritten: RFC 9110 §15.5.13 keeps 412 for conditions of the request.
 */
export function checkTarget(found: Found, conditions: Conditions, overwrite: boolean): void {
  const fields = { get: (name: string) => conditions[name] }
  if (evaluatePreconditions('PUT', fields, found, Date.now()) !== 'proceed') throw new HttpError(412)
  if (!found.exists) return
  if (!found.isFile) throw new HttpError(409, 'Something that is no file has this name')
  if (!overwrite) throw new HttpError(409, 'A file with this name is there already')
}

/** One after the other in this thread: between a condition and the rename nobody else comes. */
let last: Promise<unknown> = Promise.resolve()

/** Gives a file that is whole and flushed its name, at once, and flushes that too. @throws as `checkTarget`; HttpError 507. */
export function publish(
  folder: UploadFolder,
  part: string,
  name: string,
  conditions: Conditions,
  overwrite: boolean,
): Promise<Published> {
  const mine = last.then(() => rename(folder, part, name, conditions, overwrite))
  last = mine.catch(() => undefined)
  return mine
}

async function rename(
  folder: UploadFolder,
  part: string,
  name: string,
  conditions: Conditions,
  overwrite: boolean,
): Promise<Published> {
  const before = await folder.look(name)
  checkTarget(before, conditions, overwrite)
  try {
    // Where there was nothing, nothing is replaced, also not what another process has put there since.
    if (before.exists) await folder.rename(part, name)
    else if (!(await folder.renameToFree(part, name))) {
      checkTarget(await folder.look(name), conditions, overwrite)
      await folder.rename(part, name)
    }
    await folder.sync()
  } catch (error) {
    throw storageError(error)
  }
  const { size, etag } = await folder.look(name)
  return { isNew: !before.exists, size, etag: etag === undefined ? '' : formatEntityTag(etag) }
}
