import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rm, stat } from 'node:fs/promises'
import { NetError } from '../base/errors.js'
import { fieldPairs } from '../engine/http/fields.js'
import { mayGoOn, urlDigest } from './download-rules.js'
import { ResponseError } from './errors.js'
import { fileBody, filePart } from './parts.js'
import type { ClientResponse } from './response.js'
import { isIdempotent } from './send.js'
import type { RequestOptions } from './session-options.js'
import { originOf, resolveUrl } from './target.js'
import { replaceWhole } from './whole-file.js'

/** The draft that the fields are of: draft-ietf-httpbis-resumable-upload-12. */
const PARTIAL_TYPE = 'application/partial-upload'
const RESUMPTION_SUPPORTED = 104

export interface UploadProgress {
  /** Bytes that were given to the connection, with those that the server had before. */
  readonly sent: number
  readonly total: number
}

/** There is no `timeoutMs` but one that is given here; `bodyTimeoutMs` ends what stands still. */
export interface UploadOptions extends Omit<RequestOptions, 'body' | 'json' | 'form' | 'multipart' | 'onSent'> {
  /** Default: PUT. */
  readonly method?: string | undefined
  /** Sends `Repr-Digest`, for which the file is read once before: a server that knows it keeps nothing else. Default: false. */
  readonly digest?: boolean | undefined
  /** How often it goes on behind a connection that broke, without a byte in between. Default: 5. */
  readonly attempts?: number | undefined
  /** Where the address of the upload is kept, so that another process goes on with it. Default: nowhere. */
  readonly stateFile?: string | undefined
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined
}

export interface UploadReport {
  readonly bytes: number
  /** Of those, bytes that the server had from an earlier call. */
  readonly resumed: number
  /** How often it had to go on. */
  readonly breaks: number
  /** Whether the server could have gone on with it, had it broken off. */
  readonly isResumable: boolean
  readonly response: ClientResponse
}

interface Requester {
  request(method: string, url: string | URL, options?: RequestOptions): Promise<ClientResponse>
}

/** What another process needs to go on. The address is a secret of a kind: whoever has it may write there. */
interface UploadState {
  /** SHA-256 of the URL that it was begun at. */
  readonly url: string
  readonly address: string
  readonly size: number
  readonly modifiedMs: number
}

/**
 * Sends a file. A server that speaks resumable uploads (ours does; draft-ietf-httpbis-resumable-upload) tells the address
 * of the upload before the file is there, and what broke off goes on where the server has it, in this call and with
 * `stateFile` in the next. Others get an ordinary request.
 * @throws what `request` does; StatusError for a status from 400 up; NetError `ERR_BODY_SOURCE` for a file that changes.
 */
export function upload(
  session: Requester,
  url: string | URL,
  path: string,
  options: UploadOptions = {},
): Promise<UploadReport> {
  return new Upload(session, String(url), path, options).run()
}

class Upload {
  readonly #session: Requester
  readonly #url: string
  readonly #path: string
  readonly #options: UploadOptions
  readonly #request: RequestOptions
  #address: string | undefined
  #size = 0
  #modifiedMs = 0
  #sent = 0
  #keeping: Promise<void> | undefined

  constructor(session: Requester, url: string, path: string, options: UploadOptions) {
    const {
      method: _method,
      digest: _digest,
      attempts: _attempts,
      stateFile: _file,
      onProgress: _on,
      ...rest
    } = options
    this.#session = session
    this.#url = url
    this.#path = path
    this.#options = options
    // How long all of it takes, nobody knows: what stands still is ended by bodyTimeoutMs.
    this.#request = { timeoutMs: Infinity, ...rest }
  }

  async run(): Promise<UploadReport> {
    const { attempts = 5 } = this.#options
    const { size, mtimeMs } = await stat(this.#path).catch((cause: unknown) => {
      throw new NetError('ERR_BODY_SOURCE', `Cannot send ${JSON.stringify(this.#path)}: it cannot be read`, { cause })
    })
    this.#size = size
    this.#modifiedMs = mtimeMs
    await this.#findState()
    const known = await this.#offset()
    const resumed = typeof known === 'number' ? known : 0
    let [breaks, failures, before] = [0, 0, resumed]
    let step: Promise<ClientResponse> | ClientResponse =
      typeof known === 'number' ? this.#append(known) : (known ?? this.#create())
    for (;;) {
      try {
        const response = await step
        await this.#keeping
        // One that has no room for a moment has what it got still.
        if (response.status < 500) await this.#forget()
        const isResumable = this.#address !== undefined
        return { bytes: this.#size, resumed, breaks, isResumable, response: response.raiseForStatus() }
      } catch (error) {
        const { method = 'PUT' } = this.#options
        await this.#keeping
        // Where it broke before the address was told, or the server has lost it, it begins anew: of PUT that does the same.
        const offset = mayGoOn(error) ? await this.#offsetSoon(error) : undefined
        if (!mayGoOn(error) || (offset === undefined && !isIdempotent(method))) throw error
        failures = typeof offset === 'number' && offset > before ? 0 : failures + 1
        if (failures >= attempts) throw error
        breaks += 1
        before = typeof offset === 'number' ? offset : before
        step = typeof offset === 'number' ? this.#append(offset) : (offset ?? this.#create())
      }
    }
  }

  async #create(): Promise<ClientResponse> {
    const { method = 'PUT', digest = false } = this.#options
    const headers: [string, string][] = [['Upload-Complete', '?1']]
    if (digest) headers.push(['Repr-Digest', `sha-256=:${await digestOf(this.#path)}:`])
    const response = await this.#send(method, this.#url, 0, headers, ({ status, fields }) => {
      const address = status === RESUMPTION_SUPPORTED ? fields.get('location') : undefined
      if (address === undefined) return
      this.#address = this.#own(address)
      if (this.#address === undefined) return
      this.#keeping = this.#keepState()
    })
    return response
  }

  /** An address at another origin is not gone to: it would be told the credentials of this one. */
  #own(address: string): string | undefined {
    const url = resolveUrl(address, this.#url)
    return originOf(url) === originOf(this.#url) ? url : undefined
  }

  /** Upload Append. */
  #append(offset: number): Promise<ClientResponse> {
    return this.#send('PATCH', this.#address ?? this.#url, offset, [
      ['Content-Type', PARTIAL_TYPE],
      ['Upload-Offset', String(offset)],
      ['Upload-Complete', '?1'],
    ])
  }

  #send(
    method: string,
    url: string,
    from: number,
    fields: readonly [string, string][],
    onInterim?: RequestOptions['onInterim'],
  ): Promise<ClientResponse> {
    const { onProgress } = this.#options
    this.#sent = from
    const given = this.#request.headers
    return this.#session.request(method, url, {
      ...this.#request,
      // What is done about a break is done here.
      retries: 0,
      headers: [...(given === undefined ? [] : fieldPairs(given)), ...fields],
      body: fileBody(filePart(this.#path), { from, size: this.#size }),
      onInterim,
      onSent: (count) => {
        this.#sent += count
        onProgress?.({ sent: this.#sent, total: this.#size })
      },
    })
  }

  /** Offset Retrieval: where to go on; the response, where all of it is there; `undefined` where nothing is known of it. */
  async #offset(): Promise<number | ClientResponse | undefined> {
    if (this.#address === undefined) return undefined
    const response = await this.#session.request('HEAD', this.#address, { ...this.#request, retries: 0 })
    if (response.status === 404 || response.status === 410) {
      this.#address = undefined
      return undefined
    }
    if (response.headers.get('upload-complete') === '?1') return response
    const offset = Number(response.raiseForStatus().headers.get('upload-offset') ?? NaN)
    if (Number.isSafeInteger(offset) && offset >= 0 && offset <= this.#size) return offset
    throw new ResponseError('ERR_BODY', `Cannot go on with the upload: the server told no offset that can be`)
  }

  /** The server may be away for a moment, as it was when the connection broke. */
  async #offsetSoon(error: unknown): Promise<number | ClientResponse | undefined> {
    const { attempts = 5 } = this.#options
    for (let i = 0; i < attempts; i += 1) {
      try {
        return await this.#offset()
      } catch (again) {
        if (!mayGoOn(again)) throw again
        await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** i))
      }
    }
    throw error
  }

  async #findState(): Promise<void> {
    const { stateFile } = this.#options
    if (stateFile === undefined) return
    try {
      const { url, address, size, modifiedMs }: Partial<UploadState> = JSON.parse(await readFile(stateFile, 'utf8'))
      // Of another file, or of this one as it was, nothing can be gone on with.
      const isSame = url === urlDigest(this.#url) && size === this.#size && modifiedMs === this.#modifiedMs
      if (isSame && address !== undefined) this.#address = this.#own(address)
    } catch {
      // There is none, or none that can be used: it begins anew.
    }
  }

  /** Never rejects: without it the next process begins anew. */
  async #keepState(): Promise<void> {
    const { stateFile } = this.#options
    if (stateFile === undefined || this.#address === undefined) return
    const state: UploadState = {
      url: urlDigest(this.#url),
      address: this.#address,
      size: this.#size,
      modifiedMs: this.#modifiedMs,
    }
    await replaceWhole(stateFile, JSON.stringify(state)).catch(() => undefined)
  }

  async #forget(): Promise<void> {
    const { stateFile } = this.#options
    if (stateFile !== undefined) await rm(stateFile, { force: true })
  }
}

const FIRST_WAIT_MS = 100

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(piece)
  return hash.digest('base64')
}
