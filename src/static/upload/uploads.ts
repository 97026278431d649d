import { LimitError } from '../../base/errors.js'
import { tryParseContentDisposition } from '../../engine/http/content-disposition.js'
import { allowing, isKnownMethod, notImplemented } from '../../http/handlers.js'
import type { HttpRequest } from '../../http/request.js'
import { HttpError, HttpResponse } from '../../http/response.js'
import type { PathRules } from '../resolve-path.js'
import { formatLimits, parseReprDigest, readBoolean, readInteger } from './fields.js'
import { UploadFolder } from './folder.js'
import { receiveForm } from './form.js'
import { checkName, parseUploadAddress, parseUploadPath } from './names.js'
import type { UploadSettings } from './options.js'
import { checkTarget, conditionsOf } from './publish.js'
import { DONE_KEPT_MS, removePartial, sweep } from './partials.js'
import { answerUpload, createUpload, PARTIAL_TYPE, type Kept } from './resumable.js'
import { storeFile } from './store.js'

const SWEEP_EVERY_MS = 60_000

/** Receives files into the folders that are served. */
export class Uploads {
  readonly #rules: PathRules
  readonly #settings: UploadSettings
  #sweptMs = 0

  constructor(rules: PathRules, settings: UploadSettings) {
    this.#rules = rules
    this.#settings = settings
  }

  /** Whether a request is one of these, and not one for reading. */
  takes({ method, path }: HttpRequest): boolean {
    return (method !== 'GET' && method !== 'HEAD') || parseUploadAddress(path) !== undefined
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    checkOrigin(request)
    try {
      return await this.#answer(request)
    } catch (error) {
      // The draft wants the limits told where they are why.
      const isTooLong = error instanceof HttpError ? error.status === 413 : error instanceof LimitError
      if (!isTooLong) throw error
      const message =
        error instanceof HttpError ? error.message : `The file has more than ${this.#settings.maxFileBytes} bytes`
      throw new HttpError(413, message, { headers: { 'Upload-Limit': formatLimits(this.#settings) }, cause: error })
    }
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    const { method, path } = request
    const upload = parseUploadAddress(path)
    if (upload !== undefined) {
      if (!['HEAD', 'PATCH', 'DELETE'].includes(method)) return allowing(['HEAD', 'PATCH', 'DELETE'], method)
      const { folders } = parseUploadPath(upload.folder, this.#rules)
      return this.#within(folders, (folder) => answerUpload(request, folder, upload.id, this.#kept(folders)))
    }
    if (method === 'PUT') return this.#put(request)
    if (method === 'POST' && path.endsWith('/')) return this.#post(request)
    if (!isKnownMethod(method)) return notImplemented()
    const limits = { 'Accept-Patch': PARTIAL_TYPE, 'Upload-Limit': formatLimits(this.#settings) }
    return allowing(path.endsWith('/') ? ['GET', 'POST'] : ['GET', 'PUT'], method).with(limits)
  }

  async #within(
    folders: readonly string[],
    use: (folder: UploadFolder) => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    const folder = await UploadFolder.open(this.#rules, folders)
    // RFC 4918 §9.7.1 has this status for it.
    if (folder === undefined) throw new HttpError(409, 'There is no such folder')
    try {
      return await use(folder)
    } finally {
      await folder.close()
    }
  }

  /** What an end of this process left behind goes now and then, when something comes. */
  async #sweepAtTimes(folder: UploadFolder): Promise<void> {
    const now = Date.now()
    if (now - this.#sweptMs < SWEEP_EVERY_MS) return
    this.#sweptMs = now
    await sweep(folder, this.#settings)
  }

  #kept(folders: readonly string[]): Kept {
    return { settings: this.#settings, onDone: (id) => this.#forgetLater(folders, id) }
  }

  /** The last of an upload goes a while after it is complete. */
  #forgetLater(folders: readonly string[], id: string): void {
    const forget = async (): Promise<void> => {
      const folder = await UploadFolder.open(this.#rules, folders)
      if (folder === undefined) return
      try {
        await removePartial(folder, id)
      } finally {
        await folder.close()
      }
    }
    // What cannot be removed now goes with the next sweep.
    setTimeout(() => void forget().catch(() => undefined), DONE_KEPT_MS).unref()
  }

  /** RFC 9110 §9.3.4. */
  #put(request: HttpRequest): Promise<HttpResponse> {
    const { folders, name } = parseUploadPath(request.path, this.#rules)
    if (name === '') throw new HttpError(409, 'A folder cannot be replaced by a file')
    return this.#within(folders, (folder) => this.#receive(request, folder, name, folders))
  }

  #post(request: HttpRequest): Promise<HttpResponse> {
    const { folders } = parseUploadPath(request.path, this.#rules)
    return this.#within(folders, async (folder) => {
      if (readBoolean(request.headers.get('upload-complete')) === undefined) {
        await this.#sweepAtTimes(folder)
        return receiveForm(request, folder, this.#rules, this.#settings)
      }
      const name = tryParseContentDisposition(request.headers.get('content-disposition') ?? '')?.fileName
      if (name === undefined)
        throw new HttpError(400, 'An upload to a folder names its file: Content-Disposition: inline; filename="…"')
      checkName(name, this.#rules)
      return this.#receive(request, folder, name, folders)
    })
  }

  async #receive(
    request: HttpRequest,
    folder: UploadFolder,
    name: string,
    folders: readonly string[],
  ): Promise<HttpResponse> {
    const { headers, body } = request
    const settings = this.#settings
    checkWhole(request)
    const conditions = conditionsOf(headers)
    checkTarget(await folder.look(name), conditions, settings.overwrite)
    if (readBoolean(headers.get('upload-complete')) !== undefined) {
      const address = request.base + request.path.slice(0, request.path.lastIndexOf('/') + 1)
      return createUpload(request, folder, { name, address }, this.#kept(folders))
    }
    await this.#sweepAtTimes(folder)
    const digests = parseReprDigest(headers.get('repr-digest'))
    request.limitBody(settings.maxFileBytes)
    const length = readInteger(headers.get('content-length'))
    const source = body ?? { read: () => Promise.resolve(null) }
    const { isNew, etag } = await storeFile(folder, { name, source, length, digests, conditions }, settings)
    return new HttpResponse(null, { status: isNew ? 201 : 204, headers: { ETag: etag } })
  }
}

/** A page of a stranger that is open in a browser here sends nothing: browsers tell where a request comes from. */
function checkOrigin(request: HttpRequest): void {
  const origin = request.headers.get('origin')
  const site = request.headers.get('sec-fetch-site')
  const isForeign = site === 'cross-site' || site === 'same-site'
  if (isForeign || (origin !== undefined && hostOf(origin) !== request.url.host))
    throw new HttpError(403, 'A page of another site may not send files here')
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host
  } catch {
    return undefined // "null", of a page that may not say where it is from.
  }
}

/** @throws HttpError for what is not a whole file, as it is. */
function checkWhole({ headers }: HttpRequest): void {
  // RFC 9110 §14.5: a server that knows no partial PUT refuses it.
  if (headers.has('content-range')) throw new HttpError(400, 'A part of a file cannot be stored: send all of it')
  const coding = headers.get('content-encoding') ?? 'identity'
  if (coding.toLowerCase() !== 'identity')
    throw new HttpError(415, 'A file is stored as it comes: send it without Content-Encoding', {
      headers: { 'Accept-Encoding': 'identity' },
    })
}
