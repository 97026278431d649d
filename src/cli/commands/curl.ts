import { setTimeout as wait } from 'node:timers/promises'
import { messageOf, UsageError } from '../../base/index.js'
import { suggestTo } from '../../client/index.js'
import { defineCommand, type Command, type CommandContext } from '../command.js'
import { commandHelp } from '../help.js'
import { readConfigFile } from '../curl/config-file.js'
import { CurlCookies } from '../curl/curl-cookies.js'
import { parseCurlLines, type CurlLine } from '../curl/curl-line.js'
import { toStdout } from '../curl/destination.js'
import { EtagFile } from '../curl/etag-file.js'
import { CURL_EXIT, CurlFailure } from '../curl/exit-codes.js'
import { CURL_FLAGS } from '../curl/flags.js'
import { readGivenContent } from '../curl/given-content.js'
import { HeadFile } from '../curl/head-file.js'
import { Narration } from '../curl/narration.js'
import { Network } from '../curl/network.js'
import { UrlRun, type Common, type Job } from '../curl/one-url.js'
import { expandUrl, nameOfParts, type ExpandedUrl } from '../curl/url-patterns.js'
import { waitBeforeRetry, type Ending } from '../curl/retry-rules.js'

export const curl: Command = defineCommand({
  name: 'curl',
  parameters: '<url…>',
  summary: 'Sends requests by the flags of curl, as curl sends them, and exits with curl’s numbers.',
  readsOwnWords: true,
  stdoutExit: CURL_EXIT.write,
  options: CURL_FLAGS,
  examples: [
    ['moorage curl -sSL https://example.org/', 'what a script has, with one word before it'],
    ['moorage curl -d name=Ann -H "X-Extra: yes" http://127.0.0.1:8000/users', 'a form'],
    ['moorage curl -fsS -o film.mp4 -C - https://example.org/film.mp4', 'goes on behind what is there'],
  ],
  async run(words, _options, context) {
    suggestTo('curl')
    try {
      const lines = parseCurlLines(words, readConfigFile)
      if (!lines.some((line) => line.has('help'))) return await runLines(lines, context)
    } catch (error) {
      if (!(error instanceof CurlFailure)) throw error
      process.stderr.write(`moorage: (${error.exit}) ${error.message}\n`)
      return error.exit
    }
    process.stdout.write(commandHelp(curl, {}))
    return CURL_EXIT.ok
  },
})

/** What stands between one --next and the other, one behind the other. The exit code is that of the last URL. */
async function runLines(lines: readonly CurlLine[], context: CommandContext): Promise<number> {
  for (const line of lines) demandSense(line)
  let exit: number = CURL_EXIT.ok
  let cookies: CurlCookies | undefined
  let urls = 0
  // What it is told is the same for all lines.
  let narration: Narration | undefined
  for (const line of lines) {
    narration ??= new Narration(line)
    cookies = await CurlCookies.of(line, narration, cookies)
    exit = await runLine(line, urls, cookies, narration, context)
    urls += line.texts('url').length
    if (context.signal.aborted || (exit !== CURL_EXIT.ok && line.has('fail-early'))) break
  }
  return exit
}

async function runLine(
  line: CurlLine,
  urlsBefore: number,
  cookies: CurlCookies,
  narration: Narration,
  { signal }: CommandContext,
): Promise<number> {
  try {
    const jobs = jobsOf(line, urlsBefore)
    const common: Common = {
      line,
      signal,
      content: await readGivenContent(line, narration),
      network: new Network(line),
      cookies,
      narration,
      headFile: new HeadFile(line.text('dump-header')),
      etagFile: new EtagFile(line.text('etag-save')),
    }
    return await runJobs(common, jobs)
  } catch (error) {
    if (signal.aborted) return CURL_EXIT.interrupted
    if (!(error instanceof CurlFailure)) throw error
    narration.failed(error, error.message)
    return error.exit
  }
}

async function runJobs(common: Common, jobs: readonly Job[]): Promise<number> {
  const { line, cookies, network, narration } = common
  let exit: number = CURL_EXIT.ok
  try {
    for (const job of jobs) {
      exit = await runJob(common, job)
      if (exit !== CURL_EXIT.ok && line.has('fail-early')) break
    }
    await cookies.save(toStdout).catch((error: unknown) => narration.warn(messageOf(error)))
  } finally {
    network.destroy()
  }
  return exit
}

/** @throws UsageError `ERR_OPTION_VALUE` for what cannot be meant; `ERR_ARGUMENT` without a URL. */
function demandSense(line: CurlLine): void {
  if (!line.has('url'))
    throw new UsageError('ERR_ARGUMENT', 'Cannot run curl: give a URL, as in moorage curl http://127.0.0.1:8000/')
  if (!line.has('remote-header-name')) return
  const other = (['include', 'head', 'continue-at'] as const).find((name) => line.has(name))
  if (other !== undefined)
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use --remote-header-name with --${other}: give one of them`)
}

/** Each URL with its -o, -O and -T: they belong together by their order. A pattern is all of its URLs, or all of its files. */
function jobsOf(line: CurlLine, urlsBefore: number): readonly Job[] {
  const urls = line.texts('url')
  const outputs = line.ordered('output', 'remote-name')
  const uploads = line.texts('upload-file')
  const expand = (text: string): readonly ExpandedUrl[] =>
    line.has('globoff') ? [{ url: text, parts: [] }] : expandUrl(text)
  return urls.flatMap((given, number) => {
    const output = outputs[number]
    const upload = uploads[number]
    const files = upload === undefined ? [undefined] : expand(upload).map(({ url }) => url)
    return files.flatMap((file) =>
      expand(given).map(({ url, parts }) => ({
        text: url,
        number: urlsBefore + number,
        output: output && { ...output, value: nameOfParts(output.value, parts) },
        upload: file,
      })),
    )
  })
}

async function runJob(common: Common, job: Job): Promise<number> {
  const began = performance.now()
  const run = new UrlRun(common, job)
  for (let tries = 1; ; tries += 1) {
    const ending = await run.run()
    const waitMs = waitBeforeRetry(common.line, ending, tries, performance.now() - began)
    if (waitMs === undefined) {
      return endOf(common, run, ending)
    }
    common.narration.note(`trying again in ${waitMs / 1000} s`)
    await wait(waitMs, undefined, { signal: common.signal })
  }
}

/** What cannot be told any more counts where all else was well. */
async function endOf({ narration }: Common, run: UrlRun, ending: Ending): Promise<number> {
  try {
    await run.end(ending)
    return ending.exit
  } catch (error) {
    if (!(error instanceof CurlFailure)) throw error
    narration.failed(error, error.message)
    return ending.exit === CURL_EXIT.ok ? error.exit : ending.exit
  }
}
