import { deferred, type Deferred } from '../../base/deferred.js'
import { tryParseContentDisposition } from '../../engine/http/content-disposition.js'
import { HttpError } from '../response.js'
import type { FormSettings } from './options.js'
import type { FormPart } from './part.js'
import { ReceivedPart } from './received-part.js'

/** What bytes come from: the body of a request. */
export interface FormSource {
  read(): Promise<Uint8Array | null>
}

/** What is needed of the parser, so that nothing else of it leaks in here. */
interface PartStream {
  on(event: 'header', listener: (fields: object) => void): void
  on(event: 'data', listener: (bytes: Uint8Array) => void): void
  on(event: 'end' | 'error', listener: () => void): void
}
interface PartParser {
  on(event: 'part', listener: (part: PartStream) => void): void
  on(event: 'error' | 'finish', listener: () => void): void
  write(bytes: Uint8Array, written: () => void): void
  end(ended: () => void): void
  destroy(): void
}

/** How many lines a part may have before its content. RFC 7578 knows three. */
const MAX_PART_LINES = 16
const CUT = 'The form ends before its last boundary'

/**
 * The parts of a multipart/form-data body (RFC 7578), one after the other. The body is read only as far as somebody asks:
 * one piece of it at most is held, besides the field that is being read.
 * @throws HttpError 400, 413; what ended the body.
 */
export async function* readMultipart(
  source: FormSource,
  boundary: string,
  settings: FormSettings,
): AsyncGenerator<FormPart, void, undefined> {
  const form = new Multipart(source, await makeParser(boundary, settings), settings)
  try {
    for (let part = await form.next(); part !== undefined; part = await form.next()) {
      yield part.isFile ? part : { kind: 'field', name: part.name, value: await part.text() }
    }
  } finally {
    form.stop()
  }
}

/** Loaded when there is a form: nobody else pays for it. */
async function makeParser(boundary: string, { maxPartHeaderBytes }: FormSettings): Promise<PartParser> {
  const { Dicer } = await import('@fastify/busboy')
  // Some room above the limits, so that what passes them is seen and not cut.
  const maxHeaderSize = maxPartHeaderBytes + 8 * MAX_PART_LINES
  const limits = { boundary, maxHeaderSize, maxHeaderPairs: MAX_PART_LINES + 1 }
  return new Dicer(limits)
}

class Multipart {
  readonly #source: FormSource
  readonly #parser: PartParser
  readonly #settings: FormSettings
  readonly #arrived: ReceivedPart[] = []
  #current: ReceivedPart | undefined
  /** A part whose fields have not come to their end. */
  #headless = false
  #fields = 0
  #files = 0
  #failure: { readonly error: unknown } | undefined
  #isFailing = false
  #isFinished = false
  #isFeeding = false
  /** Ends the write that is under way. */
  #fed: (() => void) | undefined
  #isEnded = false
  #changed: Deferred<void> | undefined

  constructor(source: FormSource, parser: PartParser, settings: FormSettings) {
    this.#source = source
    this.#parser = parser
    this.#settings = settings
    parser.on('part', (stream) => this.#begin(stream))
    parser.on('error', () => this.#fail(new HttpError(400, CUT)))
    parser.on('finish', () => {
      this.#isFinished = true
      // Of the write that had the last boundary in it the parser may tell nothing more.
      this.#fed?.()
      this.#change()
    })
  }

  /** `undefined` behind the last one. */
  async next(): Promise<ReceivedPart | undefined> {
    this.#current?.drop()
    while (this.#current?.isEnded === false) await this.progress()
    for (;;) {
      const part = this.#arrived.shift()
      this.#current = part
      if (part !== undefined) return part
      if (this.#isFinished && !this.#headless && !this.#isFailing && this.#isEnded) return undefined
      await this.progress()
    }
  }

  stop(): void {
    this.#parser.destroy()
  }

  /** Resolves when something has come, or may have. @throws what failed. */
  async progress(): Promise<void> {
    this.#check()
    this.#changed ??= deferred()
    const { promise } = this.#changed
    // Not waited for: what fails in what came before is told of without the client sending more.
    if (!this.#isFeeding && !this.#isEnded && !this.#isFailing)
      void this.#feed().catch((error: unknown) => this.#fail(error))
    await promise
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async #feed(): Promise<void> {
    this.#isFeeding = true
    const bytes = await this.#source.read()
    if (bytes !== null) {
      const fed = (): void => {
        if (this.#fed !== fed) return
        this.#fed = undefined
        this.#isFeeding = false
        this.#change()
      }
      this.#fed = fed
      // RFC 2046 §5.1.1: what stands behind the last boundary is nothing.
      if (this.#isFinished) fed()
      else this.#parser.write(bytes, fed)
      return
    }
    this.#isEnded = true
    // The parser tells of its end within this turn; one that does not has seen no last boundary.
    if (!this.#isFinished) this.#parser.end(() => undefined)
    setImmediate(() => {
      if (this.#headless || !this.#isFinished) this.#fail(new HttpError(400, CUT))
      this.#change()
    })
  }

  #change(): void {
    this.#changed?.resolve()
    this.#changed = undefined
  }

  /** Thrown when what came before it has reached its parts, whose events come in the same turn. */
  #fail(error: unknown): void {
    this.#isFailing = true
    setImmediate(() => {
      this.#failure ??= { error }
      this.#change()
    })
  }

  #begin(stream: PartStream): void {
    if (this.#headless) this.#fail(new HttpError(400, 'A part of the form has no end of its fields'))
    this.#headless = true
    let part: ReceivedPart | undefined
    stream.on('header', (fields) => {
      this.#headless = false
      try {
        part = this.#describe(fields)
        this.#arrived.push(part)
      } catch (error) {
        this.#fail(error)
      }
      this.#change()
    })
    stream.on('data', (bytes) => {
      const failure = part?.take(bytes)
      if (failure !== undefined) this.#fail(failure)
      this.#change()
    })
    stream.on('end', () => {
      part?.end()
      this.#change()
    })
    stream.on('error', () => {
      part?.fail(new HttpError(400, CUT))
      this.#fail(new HttpError(400, CUT))
    })
  }

  /** @throws HttpError 400, 413. */
  #describe(fields: object): ReceivedPart {
    const { maxFields, maxFiles, maxFieldBytes, maxFileBytes, maxNameBytes, maxPartHeaderBytes } = this.#settings
    const lines = new Map<string, string>()
    let bytes = 0
    let count = 0
    for (const [name, values] of Object.entries(fields)) {
      for (const value of Array.isArray(values) ? values : []) {
        bytes += name.length + String(value).length + 4
        count += 1
        if (lines.has(name)) throw new HttpError(400, 'A part of the form has a field twice')
        lines.set(name, String(value))
      }
    }
    if (bytes > maxPartHeaderBytes || count > MAX_PART_LINES)
      throw new HttpError(413, 'The fields of a part of the form are too long')
    const disposition = tryParseContentDisposition(lines.get('content-disposition') ?? '')
    const { name } = disposition ?? {}
    if (disposition?.type !== 'form-data' || name === undefined)
      throw new HttpError(400, 'A part of the form has no Content-Disposition with a name')
    const coding = lines.get('content-transfer-encoding')?.toLowerCase() ?? 'binary'
    // RFC 7578 §4.7: nobody sends it any more, and what it would be decoded to is not what was sent.
    if (!['binary', '8bit', '7bit'].includes(coding))
      throw new HttpError(400, 'A part of the form has a Content-Transfer-Encoding')
    const sentName = disposition.parameters.get('filename')
    const isFile = sentName !== undefined
    if (isFile ? (this.#files += 1) > maxFiles : (this.#fields += 1) > maxFields)
      throw new HttpError(413, `The form has more than ${isFile ? `${maxFiles} files` : `${maxFields} fields`}`)
    if (Buffer.byteLength(name) > maxNameBytes || Buffer.byteLength(sentName ?? '', 'latin1') > maxNameBytes)
      throw new HttpError(413, `A name in the form has more than ${maxNameBytes} bytes`)
    const type = lines.get('content-type') ?? (isFile ? 'application/octet-stream' : 'text/plain')
    const names = { name, fileName: disposition.fileName ?? '', sentName: fromLatin1(sentName ?? ''), type }
    return new ReceivedPart(() => this.progress(), isFile, names, isFile ? maxFileBytes : maxFieldBytes)
  }
}

const fromLatin1 = (text: string): string => Buffer.from(text, 'latin1').toString()
