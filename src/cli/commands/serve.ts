import { randomUUID } from 'node:crypto'
import { networkInterfaces, hostname } from 'node:os'
import { resolve } from 'node:path'
import { errorCodeOf, UsageError, type Logger } from '../../base/index.js'
import { serveHttp, withFields, type HttpServer } from '../../http/index.js'
import { CORS_FIELDS, files, ISOLATION_FIELDS, type UploadOptions } from '../../static/index.js'
import { connect } from '../../transport/index.js'
import { AUTH_OPTIONS, readAccounts } from '../accounts.js'
import { defineCommand, EXIT, type Command, type CommandContext } from '../command.js'
import { MODEL_OPTIONS, modelFrom } from '../model-options.js'
import type { ParsedOptions } from '../options.js'
import { ACCESS_MARK, OWN_CHECK_FIELD, type ServeData } from '../serve-module.js'
import { notifySystemd } from '../systemd.js'
import { serverTls, TLS_SERVER_OPTIONS } from '../tls-files.js'

const DEFAULT_PORT = 8000
/** Ports that are tried when nobody asked for one and the usual one is taken. */
const MORE_PORTS = 20
const CHECK_MS = 2000

const OPTIONS = {
  host: { type: 'text', value: '<address>', default: '127.0.0.1', help: 'where to listen; 0.0.0.0 for everybody' },
  port: { type: 'number', short: 'p', value: '<n>', help: 'the port (default: 8000, or the next one that is free)' },
  name: { type: 'text', value: '<host>', multiple: true, help: 'another host name that it answers to; * for any' },
  spa: { type: 'flag', help: 'answer addresses without a file with index.html, where a browser asks for a page' },
  cors: { type: 'flag', help: 'let pages of other origins read the files' },
  isolated: { type: 'flag', help: 'isolate pages from other origins, for shared memory and exact clocks (COOP, COEP)' },
  compress: { type: 'flag', help: 'compress files for clients that take it, where no name.br, name.zst or name.gz is' },
  pretty: { type: 'flag', help: 'answer /about with about.html, and send /about.html there' },
  header: {
    type: 'text',
    short: 'H',
    value: '<name: value>',
    multiple: true,
    help: 'a field for every answer, in place of its own',
  },
  index: {
    type: 'text',
    value: '<name>',
    multiple: true,
    help: 'what a folder is answered with (default: index.html)',
  },
  listing: { type: 'flag', help: 'list folders that have no such file; --no-listing is 404' },
  dotfiles: { type: 'flag', help: 'serve files whose names begin with a dot' },
  upload: { type: 'flag', help: 'take files: by the page, PUT, and uploads that are resumed' },
  overwrite: { type: 'flag', help: 'let an uploaded file replace the one that has its name' },
  'max-upload': { type: 'size', value: '<bytes>', help: 'the longest file that is taken (default: 4g)' },
  ...AUTH_OPTIONS,
  cache: { type: 'text', value: '<value>', help: 'Cache-Control of files (default: no-cache)' },
  log: {
    type: 'text',
    value: '<format>',
    default: 'off',
    help: 'a line for each request: common, combined, json or off',
  },
  grace: { type: 'seconds', value: '<time>', default: '10', help: 'how long answers may go on after Ctrl-C' },
  ...MODEL_OPTIONS,
  ...TLS_SERVER_OPTIONS,
} as const

type Options = ParsedOptions<typeof OPTIONS>

export const serve: Command = defineCommand({
  name: 'serve',
  parameters: '[folder]',
  summary: 'Serves the files of a folder (default: this one) over HTTP.',
  options: OPTIONS,
  examples: [
    ['moorage serve', 'this folder, on http://127.0.0.1:8000'],
    ['moorage serve dist --spa --port 3000', 'an application with routes of its own'],
    ['MOORAGE_PASSWORD=… moorage serve inbox --upload --auth ann --tls', 'a folder that takes files of those who may'],
    ['moorage serve --host 0.0.0.0 --tls --log common', 'for the whole network, with TLS and an access log'],
  ],
  async run([folder = '.', ...more], options, context) {
    if (more.length > 0) throw new UsageError('ERR_ARGUMENT', 'Cannot serve: give one folder')
    const { output } = context
    const ownCheck = randomUUID()
    const server = await listen(resolve(folder), options, context, ownCheck)
    try {
      await announce(server, options, context, ownCheck)
      const stopNotifying = notifySystemd()
      await new Promise<void>((done) => {
        if (context.signal.aborted) done()
        else context.signal.addEventListener('abort', () => done(), { once: true })
      })
      stopNotifying()
      output.note('finishing what is being sent; press Ctrl-C again to end at once')
    } finally {
      await server.close()
    }
    return EXIT.ok
  },
})

async function listen(
  folder: string,
  options: Options,
  context: CommandContext,
  ownCheck: string,
): Promise<HttpServer> {
  const { output } = context
  const upload = uploadOf(options)
  const accounts = await readAccounts(options, output)
  const tls = await serverTls(options, false, output)
  const scheme = tls === undefined ? 'http' : 'https'
  const data: ServeData = {
    folder,
    options: {
      listing: options.listing !== false,
      spa: options.spa === true ? 'index.html' : false,
      dotfiles: options.dotfiles === true ? 'serve' : 'hide',
      upload,
      compress: options.compress === true,
      pretty: options.pretty === true,
      ...(options.index.length === 0 ? {} : { index: options.index }),
      ...(options.cache === undefined ? {} : { cacheControl: options.cache }),
    },
    fields: fieldsOf(options),
    hosts: hostsOf(options),
    accounts,
    log: readLogFormat(options.log ?? 'off'),
    ownCheck,
  }
  if (upload !== false && accounts === undefined && !isLoopback(options.host ?? '127.0.0.1'))
    output.note(
      'warning: whoever reaches this server may put files here; --auth lets only those in who have a password',
    )
  // Said now, and not to the first who asks.
  withFields(files(folder, data.options), data.fields)
  const module = new URL('../serve-module.js#serveFolder', import.meta.url)
  const settings = {
    model: modelFrom(options),
    logger: accessLogger(output.logger),
    data,
    ...(options.grace === undefined ? {} : { graceMs: options.grace }),
    ...(tls === undefined ? {} : { tls }),
  }
  const start = (port: number): Promise<HttpServer> =>
    serveHttp(`${scheme}://${bracketed(options.host ?? '127.0.0.1')}:${port}`, module, settings)
  if (options.port !== undefined) return start(options.port)
  return startNear(DEFAULT_PORT, start, context)
}

/** @throws UsageError `ERR_OPTION_VALUE` for options of uploads without them. */
function uploadOf({ upload, overwrite, 'max-upload': maxFileBytes }: Options): UploadOptions | false {
  if (upload === true) return { overwrite: overwrite === true, ...(maxFileBytes === undefined ? {} : { maxFileBytes }) }
  if (overwrite === true || maxFileBytes !== undefined)
    throw new UsageError('ERR_OPTION_VALUE', 'Cannot use --overwrite or --max-upload without --upload')
  return false
}

/** The usual port, or the next one that is free. */
async function startNear(
  first: number,
  start: (port: number) => Promise<HttpServer>,
  { output }: CommandContext,
): Promise<HttpServer> {
  for (let port = first; ; port += 1) {
    try {
      return await start(port)
    } catch (error) {
      if (errorCodeOf(error) !== 'ERR_ADDRESS_IN_USE' || port === first + MORE_PORTS) throw error
      output.note(`port ${port} is taken; trying ${port + 1}`)
    }
  }
}

/** Those of the presets, and in place of them those that were given by name. */
function fieldsOf({ header, cors, isolated }: Options): ServeData['fields'] {
  const given = header.map(readField)
  const names = new Set(given.map(([name]) => name.toLowerCase()))
  const presets = [...(cors === true ? CORS_FIELDS : []), ...(isolated === true ? ISOLATION_FIELDS : [])]
  return [...presets.filter(([name]) => !names.has(name.toLowerCase())), ...given]
}

/** @throws UsageError `ERR_OPTION_VALUE`. */
function readField(text: string): readonly [string, string] {
  const colon = text.indexOf(':')
  const [name, value] = [text.slice(0, colon).trim(), text.slice(colon + 1).trim()]
  if (colon < 1 || !/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value))
    throw new UsageError(
      'ERR_OPTION_VALUE',
      `Cannot use --header ${JSON.stringify(text)}: expected a name, a colon and a value, as in --header "X-Frame-Options: DENY"`,
    )
  return [name, value]
}

/** @throws UsageError `ERR_OPTION_VALUE`. */
function readLogFormat(format: string): ServeData['log'] {
  if (format === 'off' || format === 'common' || format === 'combined' || format === 'json') return format
  throw new UsageError('ERR_OPTION_VALUE', `Cannot use --log ${format}: expected common, combined, json or off`)
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.')
const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'
const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host)

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ scopeid }) => scopeid === undefined || scopeid === 0)
    .map(({ address }) => address)

/** The names that this server may be asked by: a page whose name a stranger points here is not among them. */
function hostsOf({ host = '127.0.0.1', name }: Options): readonly string[] {
  if (name.includes('*')) return []
  const own = isWildcard(host) ? ownAddresses() : [host]
  const machine = isLoopback(host) ? [] : [hostname(), `${hostname()}.local`]
  return [...new Set(['localhost', '127.0.0.1', '[::1]', ...own.map(bracketed), ...machine, ...name])]
}

/** Lines of the access log as they are; the rest as the command says things. */
function accessLogger(logger: Logger): Logger {
  return {
    ...logger,
    info(message, fields) {
      if (fields?.[ACCESS_MARK] === true) process.stderr.write(`${message}\n`)
      else logger.info(message, fields)
    },
  }
}

/** A line for each address that was tried from here and answers. */
async function announce(
  server: HttpServer,
  { host = '127.0.0.1' }: Options,
  context: CommandContext,
  ownCheck: string,
): Promise<void> {
  const { protocol, port: told } = new URL(server.endpoint)
  // A URL leaves out the port that its scheme has by itself.
  const port = told === '' ? (protocol === 'https:' ? '443' : '80') : told
  let answering = 0
  const candidates = isWildcard(host) ? ['127.0.0.1', ...ownAddresses()] : [host]
  for (const candidate of new Set(candidates)) {
    const name = bracketed(candidate)
    if (!(await answers(protocol, name, port, ownCheck))) continue
    answering += 1
    const url = `${protocol}//${name}:${port}/`
    process.stdout.write(
      context.output.json ? `${JSON.stringify({ event: 'listening', endpoint: url })}\n` : `listening on ${url}\n`,
    )
  }
  if (answering === 0)
    context.output.say(`listening on ${server.endpoint}, which did not answer when it was tried from here`, {
      event: 'listening',
      endpoint: server.endpoint,
      answered: false,
    })
}

async function answers(protocol: string, name: string, port: string, ownCheck: string): Promise<boolean> {
  try {
    await using connection = await connect(`${protocol === 'https:' ? 'tls' : 'tcp'}://${name}:${port}`, {
      connectTimeoutMs: CHECK_MS,
      ...(protocol === 'https:' ? { tls: { verify: false } } : {}),
    })
    await connection.write(
      `HEAD / HTTP/1.1\r\nHost: ${name}:${port}\r\n${OWN_CHECK_FIELD}: ${ownCheck}\r\nConnection: close\r\n\r\n`,
    )
    return (await connection.readLine())?.startsWith('HTTP/1.1 ') === true
  } catch {
    return false
  }
}
