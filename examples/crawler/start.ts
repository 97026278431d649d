// A crawler: `npm run example -- crawler <start-url…> --out folder`. Stopped by Ctrl-C or killed, it goes on when it is run
// again. `npm run example -- crawler demo` serves a site with traps to try it on.
import { MoorageError } from 'moorage'
import { serveHttp } from 'moorage/http'
import { readArguments, USAGE, type CrawlArguments } from './arguments.js'
import { machineClock } from './clock.js'
import { Crawl } from './crawl.js'
import { GeneratedSite } from './demo/generated-site.js'
import { formatSummary } from './tally.js'

const PROGRESS_PERIOD_MS = 2000

/** One line; nothing was started, or it went wrong. */
function failed(error: unknown): never {
  console.error(`crawler: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(error instanceof TypeError || error instanceof MoorageError ? 2 : 1)
}

function ask() {
  try {
    return readArguments(process.argv.slice(2))
  } catch (error) {
    return failed(error)
  }
}

async function crawl({ json, ...parts }: CrawlArguments): Promise<void> {
  const stopping = new AbortController()
  // The first one waits for what is under way, the second does not: the journal can do with either.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  const crawling = new Crawl({ ...parts, clock: machineClock })
  if (parts.revisit && !crawling.isRevisit)
    console.error('crawler: there is no finished crawl to visit again; this one is finished first')
  const tell = (): void => {
    const { fetched, known, disallowed, waiting } = crawling.progress
    console.error(`crawler: ${fetched} fetched, ${known} known before, ${disallowed} not allowed, ${waiting} wait`)
  }
  const timer = setInterval(tell, PROGRESS_PERIOD_MS)
  const report = await crawling.run(stopping.signal).finally(() => clearInterval(timer))
  for (const why of report.brokenOff) console.error(`crawler: ${why}`)
  if (!report.isFinished) console.error('crawler: not all was fetched; the same command goes on')
  console.log(json ? JSON.stringify(report) : formatSummary(report))
  process.exitCode = report.isFinished ? 0 : stopping.signal.aborted ? 130 : 1
}

async function demo(endpoint: string, pages: number, seed: number): Promise<void> {
  const site = new GeneratedSite({ pages, seed })
  const server = await serveHttp(endpoint, (request) => site.answer(request))
  console.log(`listening on ${server.endpoint}`)
  await server.serveForever()
}

const asked = ask()
switch (asked.type) {
  case 'help':
    console.log(USAGE)
    break
  case 'demo':
    await demo(asked.endpoint, asked.pages, asked.seed).catch(failed)
    break
  case 'crawl':
    await crawl(asked.crawl).catch(failed)
    break
}
