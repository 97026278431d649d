import { existsSync } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { basename } from 'node:path'
import { messageOf, MoorageError, UsageError } from '../../base/index.js'
import {
  CookieJar,
  filePart,
  HarRecorder,
  replaceWhole,
  Session,
  StatusError,
  suggestTo,
  type BodyInit,
  type ClientResponse,
  type RequestOptions,
} from '../../client/index.js'
import { defineCommand, EXIT, type Command, type CommandContext } from '../command.js'
import type { ParsedOptions } from '../options.js'
import type { Output } from '../output.js'
import { authOf } from '../credentials.js'
import { sendFile } from '../resumed-upload.js'
import { NamedSession } from '../named-session.js'
import { curlEquivalent } from '../curl-equivalent.js'
import { ProgressLine, progressOf } from '../progress.js'
import { exitOf, exitOfStatus } from '../request-exit.js'
import { fullUrl } from '../request-url.js'
import { parseHeader, parseItems, toJsonObject, toMultipart, type RequestItems } from '../request-items.js'
import { REQUEST_OPTIONS } from '../request-options.js'
import { formatBody, formatHead, formatTiming } from '../response-words.js'
import { storageWords, writing } from '../storage-words.js'
import { clientTls } from '../tls-files.js'

type Options = ParsedOptions<typeof REQUEST_OPTIONS>

const WHAT: Readonly<Record<string, string>> = {
  get: 'Gets a URL: to the terminal, to a pipe, or into a file.',
  head: 'Asks for status and fields of a URL, without its body.',
  post: 'Posts JSON, a form, files or a body of any kind.',
  put: 'Puts a body under a URL.',
  patch: 'Changes a part of what a URL names.',
  delete: 'Deletes what a URL names.',
  options: 'Asks what a URL can be asked for.',
}

const EXAMPLES: Readonly<Record<string, readonly (readonly [line: string, what: string])[]>> = {
  get: [
    ['moorage get https://example.org/api users==7 Accept-Language:de', 'with a query and a field'],
    [
      'moorage get -o film.mp4 https://example.org/film.mp4',
      'a download; the same line goes on with one that broke off',
    ],
  ],
  post: [
    ['moorage post http://127.0.0.1:8000/users name=Ann age:=30', 'JSON: {"name":"Ann","age":30}'],
    ['moorage post -f http://127.0.0.1:8000/upload note=new file@photo.jpg', 'a form with a file'],
    ['moorage post http://127.0.0.1:8000/log -d @- < events.txt', 'whatever stdin says'],
  ],
}

export const requestCommand = (name: string): Command =>
  defineCommand({
    name,
    parameters: '<url> [item…]',
    summary: `${WHAT[name] ?? ''} Items: Header:value, query==value, name=value, name:=json, file@path.`,
    options: REQUEST_OPTIONS,
    examples: EXAMPLES[name] ?? [[`moorage ${name} http://127.0.0.1:8000/`, 'shows status and fields']],
    async run([url, ...words], options, context) {
      if (url === undefined)
        throw new UsageError('ERR_ARGUMENT', `Cannot ${name}: give a URL, as in moorage ${name} http://127.0.0.1:8000/`)
      suggestTo('request')
      const items = parseItems(words)
      if (options.curl === true) {
        const { line, cannot } = curlEquivalent(name.toUpperCase(), fullUrl(url), items, options)
        process.stdout.write(`${line}\n`)
        for (const what of cannot) context.output.warn(`curl is not told of ${what}`, { event: 'not said' })
        return EXIT.ok
      }
      const named = options.session === undefined ? undefined : await NamedSession.open(options.session, fullUrl(url))
      const cookies = named?.cookies ?? new CookieJar()
      if (options.cookies !== undefined && existsSync(options.cookies)) await cookies.load(options.cookies)
      const recorder = options.har === undefined ? undefined : new HarRecorder()
      const session = makeSession(options, cookies, recorder)
      const { output } = context
      let isKept = true
      let exit: number
      try {
        const asked = withCredentials(options, named)
        exit = await outcome(run(session, name.toUpperCase(), fullUrl(url), items, asked, context), output)
      } finally {
        session.destroy()
        isKept = await keep(output, [
          ['the cookies', options.cookies, (path) => cookies.save(path)],
          ['the session', named?.path, () => named?.save({ auth: options.auth, authType: options['auth-type'] })],
          ['the record', options.har, (path) => replaceWhole(path, JSON.stringify(recorder, undefined, 2))],
        ])
      }
      return exit === EXIT.ok && !isKept ? EXIT.failed : exit
    },
  })

/** What it exits with; an error of a request is told. @throws every other one. */
async function outcome(work: Promise<number>, output: Output): Promise<number> {
  try {
    return await work
  } catch (error) {
    const exit = exitOf(error)
    if (exit === undefined) throw error
    output.error(error)
    return exit
  }
}

/** Something that is kept for later: in words, in which file if any, and how. */
type Kept = readonly [what: string, path: string | undefined, save: (path: string) => Promise<void> | undefined]

/** One that cannot be kept is told, and neither the others nor the outcome go for it. @returns whether all of them are. */
async function keep(output: Output, all: readonly Kept[]): Promise<boolean> {
  let isKept = true
  for (const [what, path, save] of all) {
    if (path === undefined) continue
    try {
      await save(path)
    } catch (error) {
      isKept = false
      const why = storageWords(error instanceof MoorageError && error.cause !== undefined ? error.cause : error)
      output.warn(`Cannot keep ${what} in ${JSON.stringify(path)}: ${why}`, { event: 'not kept', file: path })
    }
  }
  return isKept
}

/** Those of a named session, where none are given. */
const withCredentials = (options: Options, named: NamedSession | undefined): Options =>
  named?.auth === undefined || options.auth !== undefined || options.netrc === true
    ? options
    : { ...options, auth: named.auth, 'auth-type': named.authType }

function makeSession(options: Options, cookies: CookieJar, recorder: HarRecorder | undefined): Session {
  const tls = clientTls(options)
  const { timeout, retry, proxy, compressed, follow } = options
  return new Session({
    cookies,
    recorder,
    ...(tls === undefined ? {} : { tls }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(options['connect-timeout'] === undefined ? {} : { connectTimeoutMs: options['connect-timeout'] }),
    ...(options['max-redirects'] === undefined ? {} : { maxRedirects: options['max-redirects'] }),
    ...(retry === undefined ? {} : { retries: retry }),
    ...(proxy === undefined ? {} : { proxy: proxy === 'none' ? false : proxy }),
    ...(compressed === undefined ? {} : { decompress: compressed }),
    ...(follow === undefined ? {} : { followRedirects: follow }),
  })
}

async function run(
  session: Session,
  method: string,
  url: string,
  items: RequestItems,
  options: Options,
  { output, signal }: CommandContext,
): Promise<number> {
  const since = performance.now()
  const auth = authOf(options)
  const request: RequestOptions = {
    signal,
    // That of the session is not that of a download.
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    ...(await bodyOf(items, options)),
    ...(items.query.length === 0 ? {} : { query: items.query }),
    headers: [...items.headers, ...(options.header ?? []).map(parseHeader)],
    ...(auth === undefined ? {} : { auth }),
    onHead: (head) => output.detail(marked('>', head)),
  }
  const file = fileOf(url, options)
  if (file !== undefined && method === 'GET') return save(session, url, file, request, options, { output, signal })
  const source = options.resume === true ? sourceOf(options) : undefined
  const response =
    source === undefined
      ? await session.request(method, url, request)
      : await sendFile(session, { method, url, source, request }, output)
  output.detail(marked('<', formatHead(response, false)))
  if (options.include === true || method === 'HEAD' || method === 'OPTIONS') process.stdout.write(formatHead(response))
  if (response.isRefusedByProxy) response.raiseForStatus()
  if (file === undefined) await show(response, options)
  // The page of an error is not what the file is for.
  else await writing(file, response.raiseForStatus().saveTo(file))
  if (options.timing === true) process.stderr.write(`${formatTiming(response, performance.now() - since)}\n`)
  return statusExit(response, options)
}

async function save(
  session: Session,
  url: string,
  file: string,
  request: RequestOptions,
  options: Options,
  { output }: CommandContext,
): Promise<number> {
  const since = performance.now()
  const line = new ProgressLine(output)
  const show = progressOf(line, basename(file))
  const { resume, digest } = options
  const download = session
    .download(url, file, {
      ...request,
      ...(resume === undefined ? {} : { resume }),
      ...(digest === undefined ? {} : { digest }),
      onProgress: ({ received, total }) => show(received, total ?? received),
    })
    .catch((error: unknown) => {
      if (options.include === true && error instanceof StatusError) process.stdout.write(formatHead(error.response))
      throw error
    })
    .finally(() => line.clear())
  const report = await writing(file, download)
  const { bytes, resumed, isChecked } = report
  if (options.include === true) process.stdout.write(formatHead(report.response))
  const went = resumed > 0 ? `, ${resumed} of them from before` : ''
  output.note(`saved ${file}: ${bytes} bytes${went}${isChecked ? ', digest checked' : ''}`, {
    event: 'saved',
    file,
    bytes,
    resumed,
  })
  if (options.timing === true) process.stderr.write(`${formatTiming(report.response, performance.now() - since)}\n`)
  return EXIT.ok
}

/** The file that is sent, where it is one. */
const sourceOf = ({ data }: Options): string | undefined =>
  data !== undefined && data.startsWith('@') && data !== '@-' ? data.slice(1) : undefined

/** To a terminal: JSON in lines, and no bytes that would put it into disorder. To a pipe: what came. */
async function show(response: ClientResponse, { pretty }: Options): Promise<void> {
  const isPretty = pretty ?? process.stdout.isTTY
  const type = response.headers.get('content-type')
  if (isPretty && /json|^text\/|xml|javascript|^application\/x-www-form/i.test(type ?? '')) {
    process.stdout.write(formatBody(plain(await response.text()), type))
    return
  }
  let isFirst = process.stdout.isTTY
  for await (const bytes of response) {
    if (isFirst && isBinary(bytes)) {
      response.discard()
      throw new UsageError(
        'ERR_ARGUMENT',
        'Cannot show the body: it is binary, and would put the terminal into disorder; save it with -o, or send it into a pipe',
      )
    }
    isFirst = false
    await write(bytes)
  }
}

/** Without what a terminal would take for commands: escapes show as what they are. */
const plain = (text: string): string =>
  text.replace(/\p{Cc}/gu, (letter) =>
    /[\n\r\t]/.test(letter) ? letter : `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )

/** What a terminal would take for commands, and no text has. */
const isBinary = (bytes: Uint8Array): boolean => bytes.some((byte) => byte === 0 || byte === 0x1b)

function write(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error instanceof Error ? reject(error) : resolve()))
  })
}

function statusExit({ status }: ClientResponse, { fail }: Options): number {
  return fail === true && status >= 400 ? exitOfStatus(status) : EXIT.ok
}

function fileOf(url: string, { output, 'remote-name': remoteName }: Options): string | undefined {
  if (output !== undefined) return output === '-' ? undefined : output
  if (remoteName !== true) return undefined
  const { pathname } = new URL(url)
  const name = decoded(basename(pathname)).replaceAll(/[/\\\0]/g, '_')
  if (name === '' || name === '.' || name === '..')
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use -O: ${url} ends with no name; give one with -o`)
  return name
}

const marked = (mark: string, text: string): string =>
  text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => `${mark} ${line}`)
    .join('\n')

async function bodyOf(
  items: RequestItems,
  { data, form }: Options,
): Promise<Pick<RequestOptions, 'body' | 'json' | 'form' | 'multipart'>> {
  const { fields, files } = items
  if (data !== undefined) {
    if (fields.length + files.length > 0)
      throw new UsageError('ERR_ARGUMENT', 'Cannot send two bodies: give --data or items, not both')
    return { body: await dataOf(data) }
  }
  if (files.length > 0) return { multipart: toMultipart(items) }
  if (fields.length === 0) return {}
  return form === true
    ? { form: fields.map(({ name, value }) => [name, String(value)] as const) }
    : { json: toJsonObject(items) }
}

async function dataOf(text: string): Promise<BodyInit> {
  if (!text.startsWith('@')) return text
  if (text === '@-') return process.stdin
  const path = text.slice(1)
  try {
    await access(path, constants.R_OK)
    return filePart(path)
  } catch (cause) {
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use --data ${text}: ${messageOf(cause)}`, { cause })
  }
}

/** As it is, where it encodes nothing. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
