import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { errorCodeOf, MoorageError, UsageError } from '../../base/index.js'
import { connect, listen, type Connection, type Endpoint } from '../../transport/index.js'
import { sendFiles, type FileResult, type SendOptions, type TransferReport } from '../../transfer/index.js'
import { defineCommand, EXIT, type Command, type CommandContext } from '../command.js'
import type { ParsedOptions } from '../options.js'
import { parseStreamEndpoint } from '../stream-endpoint.js'
import { clientTls, refuseTlsOptions, serverTls, TLS_OPTIONS } from '../tls-files.js'
import { TransferWords } from '../transfer-words.js'

const OPTIONS = {
  token: { type: 'text', value: '<secret>', help: 'what the receiver wants to know (or MOORAGE_TOKEN)' },
  retry: {
    type: 'number',
    value: '<n>',
    help: 'how often to connect again without any progress; given, also for the first time (default: 5)',
  },
  window: { type: 'size', value: '<size>', help: 'bytes on their way at once: the most that is sent twice' },
  checksum: { type: 'flag', help: 'SHA-256 of each whole file; --no-checksum goes without' },
  listen: { type: 'flag', short: 'l', help: 'wait for a receiver that connects, once' },
  timeout: { type: 'seconds', value: '<time>', default: '10', help: 'how long connecting may take' },
  idle: { type: 'seconds', value: '<time>', default: '60', help: 'give up when nothing moves for so long' },
  ...TLS_OPTIONS,
} as const

type Options = ParsedOptions<typeof OPTIONS>

const DEFAULT_RETRIES = 5
const FIRST_PAUSE_MS = 250
const MAX_PAUSE_MS = 10_000
/** Another attempt may go better after these, and after no others. */
const PASSING = new Set([
  'ERR_CONNECT',
  'ERR_CONNECT_TIMEOUT',
  'ERR_RESOLVE',
  'ERR_PEER_RESET',
  'ERR_PEER_GONE',
  'ERR_UNEXPECTED_END',
  'ERR_IDLE_TIMEOUT',
  'ERR_HANDSHAKE_TIMEOUT',
  'ERR_SOCKET',
  'ERR_CLOSED',
])

const mayPass = (error: unknown): boolean =>
  PASSING.has(errorCodeOf(error) ?? '') || (error instanceof MoorageError && error.details['reason'] === 'busy')

export const send: Command = defineCommand({
  name: 'send',
  parameters: '<file…> <endpoint>',
  summary: 'Sends files and folders to moorage receive. An interrupted transfer goes on where it stopped.',
  options: OPTIONS,
  examples: [
    ['moorage send photos notes.txt tcp://192.168.1.7:9000', 'a folder and a file'],
    ['moorage send backup.tar tls://example.org:9000 --token "$TOKEN" --retry 100', 'over a bad line'],
  ],
  async run(positionals, options, context) {
    const files = positionals.slice(0, -1)
    const last = positionals.at(-1)
    if (last === undefined || files.length === 0)
      throw new UsageError(
        'ERR_ARGUMENT',
        'Cannot send: give files and then an endpoint, as in moorage send notes.txt tcp://127.0.0.1:9000',
      )
    const endpoint = parseStreamEndpoint(last)
    // Before anybody is bothered with a connection.
    const missing = files.find((file) => !existsSync(file))
    if (missing !== undefined)
      throw new UsageError('ERR_ARGUMENT', `Cannot send ${missing}: there is no such file or folder`)
    const report =
      options.listen === true
        ? await sendToCaller(endpoint, files, options, context)
        : await sendAgain(endpoint, files, options, context)
    return report.failed === 0 ? EXIT.ok : EXIT.failed
  },
})

async function sendToCaller(
  endpoint: Endpoint,
  files: readonly string[],
  options: Options,
  context: CommandContext,
): Promise<TransferReport> {
  const words = new TransferWords(context.output)
  refuseTlsOptions(options, 'client', 'with --listen: it is for the side that connects')
  const tls = await serverTls(options, endpoint.scheme === 'tls', context.output)
  const listener = await listen(endpoint, tls === undefined ? {} : { tls })
  context.output.say(`listening on ${listener.endpoint}`, { event: 'listening', endpoint: listener.endpoint })
  const stop = (): void => void listener.close()
  context.signal.addEventListener('abort', stop, { once: true })
  const connection = await listener.accept()
  context.signal.removeEventListener('abort', stop)
  await listener.close()
  if (connection === null) throw context.signal.reason
  const report = await sendOver(connection, files, sendOptions(options, context, words))
  words.finished(report)
  return report
}

/** Connects again after what passes, with longer and longer pauses, until it is done or nothing moves any more. */
async function sendAgain(
  endpoint: Endpoint,
  files: readonly string[],
  options: Options,
  context: CommandContext,
): Promise<TransferReport> {
  refuseTlsOptions(options, 'server', 'without --listen: it is for the side that listens')
  const words = new TransferWords(context.output)
  const done = new Map<string, FileResult>()
  let moved = 0
  let attempts = 0
  let interruptions = 0
  let everConnected = false
  const settings: SendOptions = {
    ...sendOptions(options, context, words),
    skip: (name) => done.has(name),
    onProgress: (progress) => {
      moved = progress.transferredBytes
      words.onProgress(progress)
    },
    onFile: (result) => {
      if (result.status === 'stored' || result.status === 'present') done.set(result.name, result)
      words.onFile(result)
    },
  }
  for (;;) {
    try {
      moved = 0
      const connection = await connect(endpoint, connectOptions(options, context))
      everConnected = true
      const report = await sendOver(connection, files, settings)
      // The receiver may not have noticed yet that the connection before this one is gone.
      const busy = report.files.find(({ error }) => error?.details['reason'] === 'busy')
      if (interruptions === 0 || busy?.error === undefined) {
        words.finished(report)
        return report
      }
      throw busy.error
    } catch (error) {
      const most = options.retry ?? (everConnected ? DEFAULT_RETRIES : 0)
      attempts = moved > 0 ? 1 : attempts + 1
      if (context.signal.aborted || !mayPass(error) || attempts > most) throw error
      interruptions += 1
      words.interrupted(error, 'connecting again')
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), MAX_PAUSE_MS), undefined, { signal: context.signal })
    }
  }
}

async function sendOver(
  connection: Connection,
  files: readonly string[],
  settings: SendOptions,
): Promise<TransferReport> {
  try {
    const report = await sendFiles(connection, files, settings)
    await connection.close()
    return report
  } finally {
    connection.destroy()
  }
}

function sendOptions(options: Options, { signal }: CommandContext, words: TransferWords): SendOptions {
  const token = options.token ?? process.env['MOORAGE_TOKEN']
  const { window, idle, checksum } = options
  return {
    signal,
    onProgress: words.onProgress,
    onFile: words.onFile,
    progressIntervalMs: 0,
    ...(token === undefined ? {} : { token }),
    ...(window === undefined ? {} : { windowBytes: window }),
    ...(idle === undefined ? {} : { idleTimeoutMs: idle }),
    ...(checksum === undefined ? {} : { checksum }),
  }
}

function connectOptions(options: Options, { signal }: CommandContext): Parameters<typeof connect>[1] {
  const tls = clientTls(options)
  return {
    signal,
    ...(options.timeout === undefined ? {} : { connectTimeoutMs: options.timeout }),
    ...(tls === undefined ? {} : { tls }),
  }
}
