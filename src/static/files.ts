import { realpathSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { UsageError, messageOf } from '../base/errors.js'
import { readOptions } from '../base/options.js'
import { chooseMediaType } from '../engine/http/negotiation.js'
import { allowing, isKnownMethod, notImplemented, type HttpFunction, type HttpHandlerObject } from '../http/handlers.js'
import type { HttpRequest } from '../http/request.js'
import { html, HttpError, json, redirect, text, type HttpResponse } from '../http/response.js'
import { FileChoice } from './file-choice.js'
import { listFolder, listingQuery, type Listing } from './listing.js'
import { listingJson, listingPage, listingText } from './listing-page.js'
import { FILES_OPTIONS, type FilesOptions, type FilesSettings } from './options.js'
import { openEntry, pathOfOpen, pathSegments, type OpenEntry, type PathRules } from './resolve-path.js'
import { UPLOAD_OPTIONS } from './upload/options.js'
import { UPLOAD_FORM, UPLOAD_POLICY } from './upload/page-script.js'
import { Uploads } from './upload/uploads.js'

/**
 * Serves what is below a folder: files with validators, ranges and compressed forms, and listings of folders as a page,
 * as JSON or as text. Nothing outside of the folder is ever served. Small files are held in memory, and looked at before
 * each use.
 * @throws UsageError `ERR_ARGUMENT` when there is no such folder; `ERR_OPTION_…`.
 * @example
 * await using server = await serveHttp('http://127.0.0.1:8000', files('public'))
 */
export function files(folder: string, options?: FilesOptions): HttpHandlerObject {
  return filesAt(folder, options, Date.now)
}

/** With a clock of one's own, which the times of files are compared with. */
export const filesAt = (folder: string, options: FilesOptions | undefined, now: () => number): HttpHandlerObject =>
  openFolder(folder, options, now)

function openFolder(folder: string, options: FilesOptions | undefined, now: () => number): Files {
  const given = readOptions('files', FILES_OPTIONS, options)
  // Whoever may put app.js.gz there would otherwise replace what is sent for app.js.
  const settings = given.upload === false ? given : { ...given, precompressed: options?.precompressed ?? false }
  let root: string
  try {
    root = realpathSync(folder)
    if (!statSync(root).isDirectory()) throw new Error('it is no folder')
  } catch (cause) {
    throw new UsageError('ERR_ARGUMENT', `Cannot serve files of ${folder}: ${messageOf(cause)}`, { cause })
  }
  const { dotfiles, symlinks } = settings
  const rules = { root, dotfiles, symlinks }
  return new Files(rules, settings, makeUploads(rules, settings), now)
}

/**
 * Serves one file, whatever the path of the request: with the validators, ranges and codings that `files` has. A file that
 * is not there is 404 when it is asked for.
 * @throws UsageError `ERR_ARGUMENT` when there is no such folder; `ERR_OPTION_…`.
 * @example
 * new Routes().get('/logo', file('pictures/logo.svg'))
 */
export function file(path: string, options?: FilesOptions): HttpFunction {
  const folder = openFolder(dirname(resolve(path)), { ...options, dotfiles: 'serve', upload: false }, Date.now)
  const name = basename(path)
  return (request) => folder.handleOne(request, name)
}

/** @throws UsageError `ERR_OPTION_…`. */
function makeUploads(rules: PathRules, { upload }: FilesSettings): Uploads | undefined {
  if (upload === false) return undefined
  return new Uploads(rules, readOptions('upload', UPLOAD_OPTIONS, upload === true ? undefined : upload))
}

class Files implements HttpHandlerObject {
  readonly #rules: PathRules
  readonly #settings: FilesSettings
  readonly #choice: FileChoice
  readonly #uploads: Uploads | undefined

  constructor(rules: PathRules, settings: FilesSettings, uploads: Uploads | undefined, now: () => number) {
    this.#rules = rules
    this.#settings = settings
    this.#uploads = uploads
    this.#choice = new FileChoice(rules, settings, now)
  }

  handle(request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    const { method } = request
    if (this.#uploads?.takes(request) === true) return this.#uploads.handle(request)
    if (method !== 'GET' && method !== 'HEAD')
      return isKnownMethod(method) ? allowing(['GET'], method) : notImplemented()
    // Mounted under a path that was asked for without its slash: as any other folder.
    if (request.lacksSlash) return seeOther(request, `./${request.base.slice(request.base.lastIndexOf('/') + 1)}/`)
    return this.#fromMemory(request) ?? this.#read(request)
  }

  /** The file of this name in the folder itself, whatever the request asks for. */
  handleOne(request: HttpRequest, name: string): HttpResponse | Promise<HttpResponse> {
    const { method } = request
    if (method !== 'GET' && method !== 'HEAD')
      return isKnownMethod(method) ? allowing(['GET'], method) : notImplemented()
    return this.#sendFile(request, [name]).then((answer) => {
      if (answer === undefined) throw new HttpError(404)
      return answer
    })
  }

  /**
   * In the same turn, where the file is held. Only names that files were opened by are held, so a path is not checked
   * here, but for hidden names: one may be held because it is the page of a folder.
   */
  #fromMemory(request: HttpRequest): HttpResponse | undefined {
    const { path } = request
    const { pretty, index } = this.#settings
    if (path.includes('%') || path.includes('/.') || (pretty && path.endsWith(PAGE))) return undefined
    const accept = request.headers.get('accept-encoding')
    const name = path.endsWith('/') ? path + (index[0] ?? '') : path
    const isPretty = pretty && this.#choice.absent.of(this.#rules.root + name)('')
    return this.#choice.atOnce(isPretty ? name + PAGE : name, accept)?.answer(request)
  }

  async #read(request: HttpRequest): Promise<HttpResponse> {
    const segments = pathSegments(request.path, this.#rules)
    if (segments === undefined) return this.#missing(request)
    const asFolder = segments.at(-1) === ''
    const entry = await this.#open(segments)
    if (entry === undefined) {
      const page = this.#settings.pretty && !asFolder ? withPage(segments) : undefined
      return (page === undefined ? undefined : await this.#sendFile(request, page)) ?? this.#missing(request)
    }
    if (entry.kind === 'folder') {
      try {
        // Relative links of a page in a folder need the slash.
        if (!asFolder) return seeOther(request, `./${encodeURIComponent(basename(entry.path))}/`)
        return await this.#folder(request, segments, entry)
      } finally {
        await entry.file.close()
      }
    }
    if (asFolder) {
      await entry.file.close()
      return this.#missing(request)
    }
    const name = segments.at(-1) ?? ''
    if (this.#settings.pretty && name.endsWith(PAGE)) {
      await entry.file.close()
      const short = this.#settings.index.includes(name) ? '' : encodeURIComponent(name.slice(0, -PAGE.length))
      return seeOther(request, `./${short}`)
    }
    return this.#send(request, segments, entry)
  }

  /** Remembers of a pretty address that there is no file of just its name. */
  async #open(segments: readonly string[]): Promise<OpenEntry | undefined> {
    return this.#settings.pretty ? this.#choice.open(segments, '') : openEntry(this.#rules, segments)
  }

  async #folder(request: HttpRequest, segments: readonly string[], entry: OpenEntry): Promise<HttpResponse> {
    const within = segments.slice(0, -1)
    for (const name of this.#settings.index) {
      const answer = await this.#sendFile(request, [...within, name])
      if (answer !== undefined) return answer
    }
    if (!this.#settings.listing) return this.#missing(request)
    const listing = await listFolder(this.#rules, pathOfOpen(entry), listingQuery(request.query))
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
    const answer = spa !== false && isNavigation(request) ? await this.#sendFile(request, spa.split('/')) : undefined
    if (answer === undefined) throw new HttpError(404)
    return answer
  }

  /** `undefined` when there is no such file. */
  async #sendFile(request: HttpRequest, segments: readonly string[]): Promise<HttpResponse | undefined> {
    const held = this.#choice.atOnce(`/${segments.join('/')}`, request.headers.get('accept-encoding'))
    if (held !== undefined) return held.answer(request)
    const entry = await openEntry(this.#rules, segments)
    if (entry?.kind === 'file') return this.#send(request, segments, entry)
    await entry?.file.close()
    return undefined
  }

  async #send(request: HttpRequest, segments: readonly string[], entry: OpenEntry): Promise<HttpResponse> {
    const form = await this.#choice.choose(segments, entry, request.headers.get('accept-encoding'))
    let isHandedOver = false
    try {
      const answer = form.answer(request)
      isHandedOver = answer.body !== null && typeof answer.body === 'object'
      return answer
    } finally {
      if (!isHandedOver) await form.release()
    }
  }
}

const PAGE = '.html'

const withPage = (segments: readonly string[]): readonly string[] => [
  ...segments.slice(0, -1),
  `${segments.at(-1) ?? ''}${PAGE}`,
]

/** The same file has another address: for good, with the query that was asked. */
const seeOther = ({ target }: HttpRequest, location: string): HttpResponse => {
  const query = target.indexOf('?')
  return redirect(location + (query === -1 ? '' : target.slice(query)), { status: 308 })
}

/** A listing runs nothing and loads nothing but its own style. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"

/** RFC 9110 §12.5.1: a browser that goes to an address asks for HTML by name; a program that fetches a part does not. */
function isNavigation({ headers }: HttpRequest): boolean {
  const mode = headers.get('sec-fetch-mode')
  if (mode !== undefined) return mode === 'navigate'
  return headers.get('accept')?.includes('text/html') === true
}
