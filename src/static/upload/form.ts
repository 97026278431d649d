import { chooseMediaType } from '../../engine/http/negotiation.js'
import { MoorageError } from '../../base/errors.js'
import type { HttpRequest } from '../../http/request.js'
import { HttpError, json, type HttpResponse } from '../../http/response.js'
import { reasonOf } from '../../engine/http/status.js'
import type { PathRules } from '../resolve-path.js'
import type { UploadFolder } from './folder.js'
import { checkName } from './names.js'
import type { UploadSettings } from './options.js'
import { checkTarget } from './publish.js'
import { storeFile } from './store.js'
import { resultPage } from './result-page.js'

/** What became of a file of a form. */
export interface UploadResult {
  readonly name: string
  readonly status: number
  readonly size?: number
  /** Why not. */
  readonly message?: string
}

/**
 * Receives the files of a multipart form, one after the other; each is stored or refused for itself. Answers with what
 * became of each, as a page or as JSON; the status is 201 when all are stored, else that of the first that is not.
 */
export async function receiveForm(
  request: HttpRequest,
  folder: UploadFolder,
  rules: PathRules,
  settings: UploadSettings,
): Promise<HttpResponse> {
  const results: UploadResult[] = []
  const { maxFiles, maxFileBytes } = settings
  try {
    const parts = request.formParts({ maxFiles, maxFileBytes, maxFields: 100, maxFormBytes: Infinity })
    for await (const part of parts) {
      // A browser sends an input without a file as one without a name.
      if (part.kind === 'field' || part.sentName === '') continue
      const result = await receiveFile(part.sentName, part, folder, rules, settings)
      results.push(result)
      if (result.status === 507) break
    }
    if (results.length === 0) throw new HttpError(400, 'The form has no files')
  } catch (error) {
    const { status, message } = refusalOf(error)
    results.push({ name: '', status, message })
  }
  const status = results.find((result) => result.status >= 400)?.status ?? 201
  const headers = { 'Cache-Control': 'no-store', Vary: 'Accept' }
  const type = chooseMediaType(request.headers.get('accept'), ['application/json', 'text/html'])
  if (type === 'text/html') return resultPage(results, { status })
  return json({ files: results.filter(({ name }) => name !== ''), ...errorOf(results) }, { status, headers })
}

/** What ended the form as a whole. */
function errorOf(results: readonly UploadResult[]): { readonly error?: string } {
  const message = results.find(({ name }) => name === '')?.message
  return message === undefined ? {} : { error: message }
}

async function receiveFile(
  name: string,
  source: { read(): Promise<Uint8Array | null> },
  folder: UploadFolder,
  rules: PathRules,
  settings: UploadSettings,
): Promise<UploadResult> {
  try {
    checkName(name, rules)
    checkTarget(await folder.look(name), {}, settings.overwrite)
    const incoming = { name, source, length: undefined, digests: [], conditions: {} }
    const { isNew, size } = await storeFile(folder, incoming, settings)
    return { name, status: isNew ? 201 : 200, size }
  } catch (error) {
    // What the form ends with is not of this file alone.
    if (!(error instanceof HttpError) || error.status === 400 || error.status === 413) throw error
    return { name, ...refusalOf(error) }
  }
}

/** @throws what is no answer. */
function refusalOf(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof HttpError)
    return { status: error.status, message: error.message === '' ? reasonOf(error.status) : error.message }
  const status = error instanceof MoorageError ? error.details['status'] : undefined
  if (typeof status !== 'number') throw error
  return { status, message: reasonOf(status) }
}
