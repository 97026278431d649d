import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { serveHttp, type HttpRequest, type HttpResponse } from '#src/http/index.js'
import { GeneratedSite, type GeneratedSiteOptions } from '../../../examples/crawler/demo/generated-site.js'
import { example } from '../../fixtures/example.js'
import type { Program } from '../../fixtures/program.js'

export interface Arrival {
  /** With the query. */
  readonly path: string
  readonly at: number
  readonly status: number
  readonly agent: string
}

export interface WatchedSite {
  readonly origin: string
  /** In their order. */
  readonly arrivals: Arrival[]
  /** Resolves when so many have come in all. */
  arrived(count: number): Promise<void>
}

/** A server that notes what it is asked for. */
export async function watch(
  context: TestContext,
  answer: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>,
  host: string = '127.0.0.1',
): Promise<WatchedSite> {
  const arrivals: Arrival[] = []
  const waiting = new Map<number, () => void>()
  const server = await serveHttp(`http://${host}:0`, async (request) => {
    const at = performance.now()
    const noted = { path: request.target, at, status: 0, agent: request.headers.get('user-agent') ?? '' }
    arrivals.push(noted)
    waiting.get(arrivals.length)?.()
    const response = await answer(request)
    noted.status = response.status
    return response
  })
  context.after(() => server.close({ graceMs: 0 }))
  return {
    origin: server.endpoint,
    arrivals,
    arrived: (count) =>
      new Promise((resolve) => {
        if (arrivals.length >= count) resolve()
        else waiting.set(count, resolve)
      }),
  }
}

export async function watchGenerated(
  context: TestContext,
  options: GeneratedSiteOptions,
): Promise<WatchedSite & { readonly site: GeneratedSite }> {
  const site = new GeneratedSite(options)
  const watched = await watch(context, (request) => site.answer(request))
  return { ...watched, site }
}

/** A folder that goes with its test. */
export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'moorage-crawler-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const startCrawl = (context: TestContext, args: readonly string[]): Program =>
  example(context, 'crawler/start', args)

export interface IndexLine {
  readonly url: string
  readonly outcome: string
  readonly status: number
  readonly depth: number
  readonly hash?: string
  readonly isDuplicate?: boolean
}

const readLines = (path: string): readonly unknown[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line))

/** In the order of their URLs. */
export const readIndex = (folder: string): readonly IndexLine[] =>
  (readLines(join(folder, 'index.jsonl')) as IndexLine[]).sort((a, b) => (a.url < b.url ? -1 : 1))

/** URLs of which the journal says what came of them, and that are whole in it. */
export const readJournal = (folder: string): ReadonlySet<string> =>
  new Set((readLines(join(folder, 'journal.jsonl')) as { url?: string }[]).flatMap(({ url }) => url ?? []))

/** The names of the bodies that are kept. */
export const readBodies = (folder: string): readonly string[] =>
  readdirSync(join(folder, 'bodies'), { recursive: true, encoding: 'utf8' })
    .flatMap((path) => /[\da-f]{64}$/.exec(path)?.[0] ?? [])
    .sort()

/** How often each was asked for. */
export function countPaths(arrivals: readonly Arrival[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { path } of arrivals) counts.set(path, (counts.get(path) ?? 0) + 1)
  return counts
}
