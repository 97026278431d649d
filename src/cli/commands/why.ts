import { UsageError } from '../../base/index.js'
import { diagnose, suggestTo, type DiagnoseOptions, type StepOutcome } from '../../client/index.js'
import { defineCommand, EXIT, type Command } from '../command.js'
import { authOf } from '../credentials.js'
import type { ParsedOptions } from '../options.js'
import { exitOf } from '../request-exit.js'
import { parseHeader } from '../request-items.js'
import { REQUEST_OPTIONS } from '../request-options.js'
import { fullUrl } from '../request-url.js'
import { TLS_CLIENT_OPTIONS, clientTls } from '../tls-files.js'
import { formatFacts, formatStep, stepToJson } from '../why-words.js'

const { header, auth, 'auth-type': authType, netrc, proxy, follow, compressed } = REQUEST_OPTIONS

const OPTIONS = {
  websocket: { type: 'flag', short: 'w', help: 'open a WebSocket there, too; for ws: and wss: it always does' },
  method: { type: 'text', short: 'X', value: '<method>', help: 'what is asked with (default: GET); no body is sent' },
  header,
  auth,
  'auth-type': authType,
  netrc,
  proxy,
  follow,
  'max-redirects': REQUEST_OPTIONS['max-redirects'],
  compressed,
  timeout: { type: 'seconds', value: '<time>', help: 'for all of it (default: 60)' },
  'connect-timeout': REQUEST_OPTIONS['connect-timeout'],
  'handshake-timeout': { type: 'seconds', value: '<time>', help: 'for the handshake of TLS (default: 10)' },
  'response-timeout': { type: 'seconds', value: '<time>', help: 'for the head of the response (default: 60)' },
  'body-timeout': { type: 'seconds', value: '<time>', help: 'without a byte of the body (default: 60)' },
  'max-body': { type: 'size', value: '<size>', help: 'the longest body, decoded, that is right (default: 64m)' },
  'max-read': { type: 'size', value: '<size>', help: 'so much of the body is looked at (default: 1m)' },
  ...TLS_CLIENT_OPTIONS,
} as const

export const why: Command = defineCommand({
  name: 'why',
  parameters: '<url>',
  summary:
    'Walks DNS, route, TCP, TLS, HTTP and WebSocket step by step, and says where a request fails, why, and what to do.',
  options: OPTIONS,
  examples: [
    ['moorage why https://example.org/', 'each step with its outcome; exits as moorage get would'],
    ['moorage why wss://chat.example.org/room', 'the handshake of a WebSocket'],
    ['moorage why --json api.example.org | jq .outcome', 'one object a line, with all that was found'],
  ],
  async run([url, more], options, { output, signal }) {
    if (url === undefined || more !== undefined)
      throw new UsageError('ERR_ARGUMENT', 'Cannot tell why: give one URL, as in moorage why https://example.org/')
    suggestTo('why')
    let exit: number = EXIT.ok
    for await (const step of diagnose(toUrl(url), { ...diagnoseOptions(options), signal })) {
      if (output.json) process.stdout.write(`${JSON.stringify(stepToJson(step))}\n`)
      else if (isWorthWords(step.outcome, output.quiet, exit === EXIT.ok)) {
        process.stdout.write(`${formatStep(step)}\n`)
        if (output.verbose) process.stdout.write(formatFacts(step))
      }
      if (step.outcome === 'failed') exit = exitOfStep(step.error)
    }
    return exit
  },
})

/** What is not gone any more behind a failure is told to programs alone. */
const isWorthWords = (outcome: StepOutcome, isQuiet: boolean, isWell: boolean): boolean =>
  outcome === 'failed' || outcome === 'warning' || (isWell && !isQuiet)

const toUrl = (url: string): string => (/^wss?:/i.test(url) ? url : fullUrl(url))

const exitOfStep = (error: Error | undefined): number =>
  exitOf(error) ?? (error instanceof UsageError ? EXIT.usage : EXIT.failed)

function diagnoseOptions(options: ParsedOptions<typeof OPTIONS>): DiagnoseOptions {
  const credentials = authOf(options)
  return {
    method: options.method?.toUpperCase(),
    websocket: options.websocket,
    headers: options.header.map(parseHeader),
    auth: credentials,
    proxy: options.proxy === 'none' ? false : options.proxy,
    followRedirects: options.follow,
    maxRedirects: options['max-redirects'],
    decompress: options.compressed,
    timeoutMs: options.timeout,
    connectTimeoutMs: options['connect-timeout'],
    handshakeTimeoutMs: options['handshake-timeout'],
    responseTimeoutMs: options['response-timeout'],
    bodyTimeoutMs: options['body-timeout'],
    maxBodyBytes: options['max-body'],
    maxReadBytes: options['max-read'],
    tls: clientTls(options),
  }
}
