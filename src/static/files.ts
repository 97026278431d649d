import { realpathSync, statSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { UsageError, messageOf } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import { formatDate } from '../engine/http/date.js'
import { formatEntityTag, type EntityTag } from '../engine/http/etag.js'
import { chooseEncoding, chooseMediaType } from '../engine/http/negotiation.js'
import { evaluatePreconditions, rangeApplies } from '../engine/http/preconditions.js'
import { formatContentRange, resolveRanges, type ByteRange } from '../engine/http/range.js'
import { allowing, isKnownMethod, notImplemented, type HttpHandlerObject } from '../http/handlers.js'
import type { HttpRequest } from '../http/request.js'
import { html, HttpError, HttpResponse, json, redirect, text } from '../http/response.js'
import { contentTypeOf } from './content-types.js'
import { FileBody, readFileRange } from './file-body.js'
import { listFolder, listingQuery, type Listing } from './listing.js'
import { listingJson, listingPage, listingText } from './listing-page.js'
import { FILES_OPTIONS, type FilesOptions, type FilesSettings } from './options.js'
import { openEntry, pathSegments, type OpenEntry, type PathRules } from './resolve-path.js'
import { UPLOAD_OPTIONS } from './upload/options.js'
import { UPLOAD_FORM, UPLOAD_POLICY } from './upload/page-script.js'
import { Uploads } from './upload/uploads.js'

/** A file as it is sent: its own bytes, or those of its compressed twin. */
interface Representation {
  readonly entry: OpenEntry
  readonly type: string
  readonly coding: string | undefined
}

/** Endings of twins, by coding, the best first. */
const TWINS = [
  ['br', '.br'],
  ['zstd', '.zst'],
  ['gzip', '.gz'],
] as const

/**
 * Serves what is below a folder: files with validators, ranges and compressed twins, and listings of folders as a page,
 * as JSON or as text. Nothing outside of the folder is ever served.
 * @throws UsageError `ERR_ARGUMENT` when there is no such folder; `ERR_OPTION_…`.
 * @example
 * await using server = await serveHttp('http://127.0.0.1:8000', files('public'))
 */
export function files(folder: string, options?: FilesOptions): HttpHandlerObject {
  const settings = readOptions('files', FILES_OPTIONS, options)
  let root: string
  try {
    root = realpathSync(folder)
    if (!statSync(root).isDirectory()) throw new Error('it is no folder')
  } catch (cause) {
    throw new UsageError('ERR_ARGUMENT', `Cannot serve files of ${folder}: ${messageOf(cause)}`, { cause })
  }
  const { dotfiles, symlinks } = settings
  const rules = { root, dotfiles, symlinks }
  return new Files(rules, settings, makeUploads(rules, settings))
}

/** @throws UsageError `ERR_OPTION_…`. */
function makeUploads(rules: PathRules, { upload }: FilesSettings): Uploads | undefined {
  if (upload === false) return undefined
  return new Uploads(rules, readOptions('upload', UPLOAD_OPTIONS, upload === true ? undefined : upload))
}

class Files implements HttpHandlerObject {
  readonly #rules: PathRules
  readonly #settings: FilesSettings
  readonly #uploads: Uploads | undefined

  constructor(rules: PathRules, settings: FilesSettings, uploads: Uploads | undefined) {
    this.#rules = rules
    this.#settings = settings
    this.#uploads = uploads
  }

  handle(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const { method } = request
    if (this.#uploads?.takes(request) === true) return this.#uploads.handle(request)
    if (method === 'GET' || method === 'HEAD') return this.#read(request)
    return isKnownMethod(method) ? allowing(['GET'], method) : notImplemented()
  }

  async #read(request: HttpRequest): Promise<HttpResponse> {
    const segments = pathSegments(request.path, this.#rules)
    const entry = segments === undefined ? undefined : await openEntry(this.#rules, segments)
    if (entry === undefined || segments === undefined) return this.#missing(request)
    const asFolder = segments.at(-1) === ''
    if (entry.kind === 'folder') {
      await entry.file.close()
      // Relative links of a page in a folder need the slash.
      if (!asFolder)
        return redirect(`./${encodeURIComponent(basename(entry.path))}/${searchOf(request)}`, { status: 308 })
      return this.#folder(request, segments, entry.path)
    }
    if (asFolder) {
      await entry.file.close()
      return this.#missing(request)
    }
    return this.#send(request, segments, entry)
  }

  async #folder(request: HttpRequest, segments: readonly string[], path: string): Promise<HttpResponse> {
    const within = segments.slice(0, -1)
    for (const name of this.#settings.index) {
      const entry = await openEntry(this.#rules, [...within, name])
      if (entry?.kind === 'file') return this.#send(request, [...within, name], entry)
      await entry?.file.close()
    }
    if (!this.#settings.listing) return this.#missing(request)
    const listing = await listFolder(path, listingQuery(request.query), this.#rules.dotfiles === 'hide')
    const shown = `/${within.map((name) => `${name}/`).join('')}`
    const headers = { 'Cache-Control': 'no-cache', Vary: 'Accept' }
    switch (chooseMediaType(request.headers.get('accept'), ['text/html', 'application/json', 'text/plain'])) {
      case 'application/json':
        return json(listingJson(shown, listing), { headers })
      case 'text/plain':
        return text(listingText(listing), { headers })
      default:
        return this.#page(shown, listing, headers)
    }
  }

  #page(shown: string, listing: Listing, headers: Readonly<Record<string, string>>): HttpResponse {
    const takesFiles = this.#uploads !== undefined
    const page = listingPage(shown, listing, shown === '/', takesFiles ? UPLOAD_FORM : '')
    const policy = takesFiles ? `${PAGE_POLICY}; ${UPLOAD_POLICY}` : PAGE_POLICY
    return html(page, {
      headers: { ...headers, 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' },
    })
  }

  /** What has no file: for a browser that asks for a page, the page of an application. */
  async #missing(request: HttpRequest): Promise<HttpResponse> {
    const { spa } = this.#settings
    if (spa !== false && isNavigation(request)) {
      const entry = await openEntry(this.#rules, spa.split('/'))
      if (entry?.kind === 'file') return this.#send(request, spa.split('/'), entry)
      await entry?.file.close()
    }
    throw new HttpError(404)
  }

  async #send(request: HttpRequest, segments: readonly string[], plain: OpenEntry): Promise<HttpResponse> {
    const chosen = await this.#choose(request, segments, plain)
    const { entry } = chosen
    let isHandedOver = false
    try {
      const answer = this.#answer(request, chosen)
      isHandedOver = answer.body !== null && typeof answer.body === 'object'
      return answer
    } finally {
      if (!isHandedOver) await entry.file.close()
    }
  }

  /** The file, or the first of its twins that the client takes. */
  async #choose(request: HttpRequest, segments: readonly string[], plain: OpenEntry): Promise<Representation> {
    const type = contentTypeOf(basename(plain.path))
    const accept = request.headers.get('accept-encoding')
    if (!this.#settings.precompressed || accept === undefined) return { entry: plain, type, coding: undefined }
    const last = segments.at(-1) ?? ''
    for (const [coding, ending] of TWINS) {
      if (chooseEncoding(accept, [coding, 'identity']) !== coding) continue
      const twin = await openEntry(this.#rules, [...segments.slice(0, -1), last + ending])
      if (twin === undefined) continue
      // One that is older than its file tells of another content.
      if (twin.kind === 'file' && twin.mtimeMs >= plain.mtimeMs) {
        await plain.file.close()
        return { entry: twin, type, coding }
      }
      await twin.file.close()
    }
    return { entry: plain, type, coding: undefined }
  }

  #answer(request: HttpRequest, { entry, type, coding }: Representation): HttpResponse {
    const { method, headers: asked } = request
    const { size, mtimeMs: lastModifiedMs, file } = entry
    const etag: EntityTag = { value: entry.version, weak: false }
    const current = { exists: true, etag, lastModifiedMs }
    const nowMs = Date.now()
    const validators = {
      ETag: formatEntityTag(etag),
      'Last-Modified': formatDate(lastModifiedMs),
      'Cache-Control': this.#settings.cacheControl,
      ...(this.#settings.precompressed ? { Vary: 'Accept-Encoding' } : {}),
    }
    const outcome = evaluatePreconditions(method, asked, current, nowMs)
    if (outcome === 'not-modified') return new HttpResponse(null, { status: 304, headers: validators })
    if (outcome === 'failed') throw new HttpError(412)
    const headers = {
      ...validators,
      'Content-Type': type,
      'Accept-Ranges': 'bytes',
      'X-Content-Type-Options': 'nosniff',
      ...(coding === undefined ? {} : { 'Content-Encoding': coding }),
    }
    if (rangeApplies(method, asked, current, nowMs)) {
      const ranges = resolveRanges(asked.get('range') ?? '', size)
      if (ranges === 'unsatisfiable')
        throw new HttpError(416, '', { headers: { 'Content-Range': formatContentRange(undefined, size) } })
      if (ranges !== 'whole') return partial(file, ranges, size, headers)
    }
    if (method === 'HEAD' || size === 0)
      return new HttpResponse(new FileBody(file, undefined), { headers, length: size })
    return new HttpResponse(new FileBody(file, readFileRange(file, 0, size)), { headers, length: size })
  }
}

/** A listing runs nothing and loads nothing but its own style. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"

const searchOf = ({ target }: HttpRequest): string => {
  const start = target.indexOf('?')
  return start === -1 ? '' : target.slice(start)
}

/** RFC 9110 §12.5.1: a browser that goes to an address asks for HTML by name; a program that fetches a part does not. */
function isNavigation({ headers }: HttpRequest): boolean {
  const mode = headers.get('sec-fetch-mode')
  if (mode !== undefined) return mode === 'navigate'
  return headers.get('accept')?.includes('text/html') === true
}

function partial(
  file: FileHandle,
  ranges: readonly ByteRange[],
  size: number,
  headers: Readonly<Record<string, string>>,
): HttpResponse {
  const [only] = ranges
  if (only !== undefined && ranges.length === 1) {
    const { start, end } = only
    const init = {
      status: 206,
      headers: { ...headers, 'Content-Range': formatContentRange(only, size) },
      length: end - start,
    }
    return new HttpResponse(new FileBody(file, readFileRange(file, start, end)), init)
  }
  const boundary = `moorage-${crypto.randomUUID()}`
  const heads = ranges.map((range) =>
    Buffer.from(
      `\r\n--${boundary}\r\nContent-Type: ${headers['Content-Type'] ?? ''}\r\nContent-Range: ${formatContentRange(range, size)}\r\n\r\n`,
    ),
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  const length =
    ranges.reduce((sum, { start, end }) => sum + end - start, 0) +
    heads.reduce((sum, head) => sum + head.length, 0) +
    tail.length
  const several = async function* (): AsyncGenerator<Uint8Array> {
    for (const [i, { start, end }] of ranges.entries()) {
      yield heads[i] ?? tail
      yield* readFileRange(file, start, end)
    }
    yield tail
  }
  const type = { 'Content-Type': `multipart/byteranges; boundary=${boundary}` }
  return new HttpResponse(new FileBody(file, several()), { status: 206, headers: { ...headers, ...type }, length })
}
