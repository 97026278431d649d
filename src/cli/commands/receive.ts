import { errorCodeOf, UsageError } from '../../base/index.js'
import { serve } from '../../server/index.js'
import { receiveFiles, type ReceiveOptions, type TransferReport } from '../../transfer/index.js'
import { connect, formatAddress, type Connection, type Endpoint } from '../../transport/index.js'
import { defineCommand, EXIT, type Command, type CommandContext } from '../command.js'
import type { ParsedOptions } from '../options.js'
import { parseStreamEndpoint } from '../stream-endpoint.js'
import { clientTls, refuseTlsOptions, serverTls, TLS_OPTIONS } from '../tls-files.js'
import { TransferWords } from '../transfer-words.js'

const OPTIONS = {
  overwrite: { type: 'flag', help: 'replace files that are there and differ; the old one stays whole until then' },
  token: { type: 'text', value: '<secret>', help: 'what senders must know (or MOORAGE_TOKEN)' },
  once: { type: 'flag', short: '1', help: 'end after the first transfer that was not interrupted' },
  'max-bytes': { type: 'size', value: '<size>', help: 'bytes on one connection' },
  'max-file-bytes': { type: 'size', value: '<size>', help: 'bytes of one file' },
  'max-files': { type: 'number', value: '<n>', help: 'files and folders on one connection (default: 100000)' },
  max: { type: 'number', value: '<n>', default: '16', help: 'senders at once; more wait' },
  'require-checksum': { type: 'flag', help: 'take no files without SHA-256' },
  sync: { type: 'flag', help: 'flush each file to the disk before it gets its name; --no-sync goes without' },
  connect: { type: 'flag', short: 'c', help: 'connect to a sender that listens, instead of listening' },
  timeout: { type: 'seconds', value: '<time>', default: '10', help: 'with --connect, how long connecting may take' },
  idle: { type: 'seconds', value: '<time>', default: '60', help: 'give up on a sender that sends nothing for so long' },
  ...TLS_OPTIONS,
} as const

type Options = ParsedOptions<typeof OPTIONS>

export const receive: Command = defineCommand({
  name: 'receive',
  parameters: '<endpoint> [dir]',
  summary: 'Takes the files of moorage send into a folder, by default the current one, until Ctrl-C.',
  options: OPTIONS,
  examples: [
    ['moorage receive tcp://0.0.0.0:9000 incoming', 'from anybody in this network'],
    ['moorage receive tls://:9000 incoming --tls --token "$TOKEN" --once', 'one transfer from one who knows'],
    ['moorage receive --connect tls://example.org:9000 incoming --ca cert.pem', 'from moorage send --listen, over TLS'],
  ],
  async run([text, folder = '.', ...more], options, context) {
    if (text === undefined || more.length > 0)
      throw new UsageError(
        'ERR_ARGUMENT',
        'Cannot receive: give an endpoint and a folder, as in moorage receive tcp://127.0.0.1:9000 incoming',
      )
    const endpoint = parseStreamEndpoint(text)
    return options.connect === true
      ? receiveFrom(endpoint, folder, options, context)
      : receiveMany(endpoint, folder, options, context)
  },
})

async function receiveFrom(
  endpoint: Endpoint,
  folder: string,
  options: Options,
  context: CommandContext,
): Promise<number> {
  refuseTlsOptions(options, 'server', 'with --connect: it is for the side that listens')
  const tls = clientTls(options)
  const connection = await connect(endpoint, {
    signal: context.signal,
    ...(options.timeout === undefined ? {} : { connectTimeoutMs: options.timeout }),
    ...(tls === undefined ? {} : { tls }),
  })
  const words = new TransferWords(context.output)
  try {
    const report = await receiveFiles(connection, folder, receiveOptions(options, context, words))
    words.finished(report)
    await connection.close()
    return exitOf(report)
  } finally {
    connection.destroy()
  }
}

async function receiveMany(
  endpoint: Endpoint,
  folder: string,
  options: Options,
  context: CommandContext,
): Promise<number> {
  const { output, signal } = context
  refuseTlsOptions(options, 'client', 'without --connect: it is for the side that connects')
  const secure = endpoint.scheme === 'tls'
  const tls = await serverTls(options, secure, output)
  let exit: number = EXIT.ok
  const over = new AbortController()
  const handle = async (connection: Connection): Promise<void> => {
    const words = new TransferWords(output)
    const remote = formatAddress(connection.remote)
    try {
      const report = await receiveFiles(connection, folder, receiveOptions(options, context, words))
      words.finished(report)
      if (options.once !== true || over.signal.aborted) return
      exit = exitOf(report)
      over.abort()
    } catch (error) {
      if (errorCodeOf(error) === 'ERR_TRANSFER') output.warn(`${remote}: refused`, { event: 'refused', error, remote })
      else words.interrupted(error, `${remote} has not finished; what came is kept`)
    }
  }
  const server = await serve(endpoint, handle, {
    logger: output.logger,
    maxConnections: options.max ?? 16,
    ...(tls === undefined ? {} : { tls }),
  })
  output.say(`listening on ${server.endpoint}`, { event: 'listening', endpoint: server.endpoint })
  await aborted([signal, over.signal])
  await server.close()
  return exit
}

const exitOf = ({ failed }: TransferReport): number => (failed === 0 ? EXIT.ok : EXIT.failed)

function receiveOptions(options: Options, { signal }: CommandContext, words: TransferWords): ReceiveOptions {
  const token = options.token ?? process.env['MOORAGE_TOKEN']
  const { overwrite, idle, sync } = options
  const { 'max-bytes': maxBytes, 'max-files': maxFiles, 'max-file-bytes': maxFileBytes } = options
  return {
    signal,
    onProgress: words.onProgress,
    onFile: words.onFile,
    progressIntervalMs: 0,
    requireChecksum: options['require-checksum'] === true,
    ...(token === undefined ? {} : { token }),
    ...(overwrite === undefined ? {} : { overwrite }),
    ...(idle === undefined ? {} : { idleTimeoutMs: idle }),
    ...(sync === undefined ? {} : { sync }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(maxFiles === undefined ? {} : { maxFiles }),
    ...(maxFileBytes === undefined ? {} : { maxFileBytes }),
  }
}

function aborted(signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    }
  })
}
