import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from '../../base/index.js'
import { serveHttp } from '../../http/index.js'
import { serve, type DatagramServer, type PooledStreamServerOptions, type StreamServer } from '../../server/index.js'
import { parseEndpoint, type Endpoint } from '../../transport/index.js'
import { defineCommand, EXIT, type Command, type CommandContext } from '../command.js'
import { MODEL_OPTIONS, modelFrom } from '../model-options.js'
import type { ParsedOptions } from '../options.js'
import { notifySystemd } from '../systemd.js'
import { refuseTlsOptions, serverTls, TLS_SERVER_OPTIONS } from '../tls-files.js'
import { runAgainOnChange } from '../watch.js'

const OPTIONS = {
  ...MODEL_OPTIONS,
  watch: { type: 'flag', short: 'w', help: 'start again when a file beside the module changes' },
  'max-connections': {
    type: 'number',
    value: '<n>',
    help: 'connections with a handler at once; more wait (default: 100000)',
  },
  'max-per-address': { type: 'number', value: '<n>', help: 'the same for one remote address' },
  'on-overload': { type: 'text', value: '<what>', help: 'wait or refuse, above a limit (default: wait)' },
  idle: { type: 'seconds', value: '<time>', help: 'close a connection on which nothing moves for so long' },
  grace: { type: 'seconds', value: '<time>', default: '10', help: 'how long connections may go on after Ctrl-C' },
  allow: { type: 'text', value: '<network>', multiple: true, help: 'who may connect, 10.0.0.0/8 for instance' },
  ...TLS_SERVER_OPTIONS,
} as const

export const run: Command = defineCommand({
  name: 'run',
  parameters: '<module> <endpoint…>',
  summary: 'Serves endpoints with the handler that a module exports by default, a function or a handler class.',
  options: OPTIONS,
  examples: [
    ['moorage run ./echo.js tcp://127.0.0.1:9000 udp://127.0.0.1:9000', 'one handler, two transports'],
    [
      'moorage run ./echo.ts tcp://:9000 --model threads --size 4 --watch',
      'TypeScript, four threads, started again on changes',
    ],
    ['moorage run ./echo.js tls://:9443 --tls', 'TLS with a certificate made on first use'],
    ['moorage run ./web.js http://127.0.0.1:8000', 'HTTP: the handler takes requests, or is an app with fetch'],
  ],
  async run([module, ...endpoints], options, context) {
    if (module === undefined || endpoints.length === 0) {
      throw new UsageError(
        'ERR_ARGUMENT',
        'Cannot run: give a module and at least one endpoint, as in moorage run ./echo.js tcp://127.0.0.1:9000',
      )
    }
    if (options.watch === true) return runAgainOnChange(module, context)
    const parsed = endpoints.map((endpoint) => parseEndpoint(endpoint))
    if (options.tls !== true && !parsed.some(({ scheme }) => scheme === 'tls' || scheme === 'https'))
      refuseTlsOptions(options, 'server', 'without --tls: none of the endpoints is tls: or https:')
    const servers: AnyServer[] = []
    try {
      for (const endpoint of parsed) servers.push(await start(module, endpoint, options, context))
      for (const server of servers) announce(server, context)
      const stopNotifying = notifySystemd()
      await aborted(context.signal)
      stopNotifying()
      context.output.note('finishing what runs; press Ctrl-C again to end at once')
    } finally {
      const reports = await Promise.all(servers.map((server) => server.close()))
      const cut = reports.reduce((sum, report) => sum + report.cutCount, 0)
      if (cut > 0) context.output.warn(`${cut} connections were cut after ${options.grace ?? 0} ms`, { cut })
    }
    return EXIT.ok
  },
})

type AnyServer = StreamServer | DatagramServer

function start(
  module: string,
  endpoint: Endpoint,
  options: ParsedOptions<typeof OPTIONS>,
  { output }: CommandContext,
): Promise<AnyServer> {
  return startOn(endpoint, pathToFileURL(resolve(module)), options, output)
}

async function startOn(
  endpoint: Endpoint,
  handler: URL,
  options: ParsedOptions<typeof OPTIONS>,
  output: CommandContext['output'],
): Promise<AnyServer> {
  const {
    grace,
    idle,
    allow,
    'max-connections': maxConnections,
    'max-per-address': perAddress,
    'on-overload': onOverload,
  } = options
  const common = {
    model: modelFrom(options),
    logger: output.logger,
    ...(grace === undefined ? {} : { graceMs: grace }),
    ...(allow.length === 0 ? {} : { allow }),
  }
  if (endpoint.scheme === 'udp' || endpoint.scheme === 'unixgram') return serve(endpoint, handler, common)
  if (onOverload !== undefined && onOverload !== 'wait' && onOverload !== 'refuse') {
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use --on-overload ${onOverload}: expected wait or refuse`)
  }
  const secure = endpoint.scheme === 'tls' || endpoint.scheme === 'https'
  // Of several endpoints those that are tcp: stay plain, beside others that are tls:.
  const isPlain = endpoint.scheme === 'http' || endpoint.scheme === 'http+unix'
  const tls = secure || (options.tls === true && !isPlain) ? await serverTls(options, secure, output) : undefined
  const stream: PooledStreamServerOptions = {
    ...common,
    ...(tls === undefined ? {} : { tls }),
    ...(idle === undefined ? {} : { idleTimeoutMs: idle }),
    ...(onOverload === undefined ? {} : { onOverload }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(perAddress === undefined ? {} : { maxConnectionsPerAddress: perAddress }),
  }
  return isPlain || endpoint.scheme === 'https'
    ? serveHttp(endpoint, handler, stream)
    : serve(endpoint, handler, stream)
}

/** One line for each address, when and only when it accepts. */
function announce(server: AnyServer, { output }: CommandContext): void {
  const { endpoint } = server
  process.stdout.write(
    output.json ? `${JSON.stringify({ event: 'listening', endpoint })}\n` : `listening on ${endpoint}\n`,
  )
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
