import { parseArgs } from 'node:util'
import { DEFAULTS, productOf, type CrawlOptions } from './options.js'

export const USAGE = `crawler <start-url…> --out folder [options]     crawls the sites of the URLs, and goes on where it stopped
crawler demo [endpoint] [--pages n] [--seed n]   serves a site to try it on, with traps

  --revisit                 begins anew when all was done, and asks only for what has changed
  --retry-failed            asks again for what failed in an earlier run
  --delay ms                between requests to one host (1000); more where its robots.txt wants it
  --per-host n              connections to one host (1)
  --concurrency n           requests under way to all hosts (16)
  --max-pages n             URLs of a site (100000)
  --max-depth n             links from a start (25)
  --max-per-pattern n       URLs of a site that differ only in numbers (2000)
  --max-in-depths n         URLs of more than four segments that begin with the same two (5000)
  --max-body-bytes n        of a page (5242880)
  --timeout ms              of a request (30000)
  --retry-wait ms           before a second try (2000)
  --user-agent text         who asks (moorage-crawler/0.1); robots.txt is searched for what stands before the "/"
  --keep-query-order        does not sort the parameters of URLs
  --json                    prints the summary as JSON`

/** What was asked for, or why it cannot be. */
export type Asked =
  | { readonly type: 'crawl'; readonly crawl: CrawlArguments }
  | { readonly type: 'demo'; readonly endpoint: string; readonly pages: number; readonly seed: number }
  | { readonly type: 'help' }

export interface CrawlArguments {
  readonly starts: readonly string[]
  readonly folder: string
  readonly options: CrawlOptions
  readonly revisit: boolean
  readonly retriesFailed: boolean
  readonly json: boolean
}

const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean', default: false } as const

/** @throws TypeError in one line. */
export function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      out: TEXT,
      revisit: FLAG,
      'retry-failed': FLAG,
      delay: TEXT,
      'per-host': TEXT,
      concurrency: TEXT,
      'max-pages': TEXT,
      'max-depth': TEXT,
      'max-per-pattern': TEXT,
      'max-in-depths': TEXT,
      'max-body-bytes': TEXT,
      timeout: TEXT,
      'retry-wait': TEXT,
      'user-agent': TEXT,
      'keep-query-order': FLAG,
      json: FLAG,
      pages: TEXT,
      seed: TEXT,
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return { type: 'help' }
  const number = (name: Exclude<keyof typeof values, BooleanName>, least: number, otherwise: number): number => {
    const text = values[name]
    if (text === undefined) return otherwise
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < least) throw new TypeError(`--${name} is a number from ${least} up`)
    return value
  }
  if (positionals[0] === 'demo') {
    const [, endpoint = 'http://127.0.0.1:8004'] = positionals
    return { type: 'demo', endpoint, pages: number('pages', 1, 10_000), seed: number('seed', 0, 1) }
  }
  const { out } = values
  if (positionals.length === 0)
    throw new TypeError('give a URL to start at, as in: crawler https://example.org/ --out folder')
  if (out === undefined) throw new TypeError('give a folder, as in: --out folder')
  const userAgent = values['user-agent'] ?? DEFAULTS.userAgent
  if (productOf(userAgent) === '') throw new TypeError('--user-agent begins with a name of letters, "_" and "-"')
  const options: CrawlOptions = {
    ...DEFAULTS,
    userAgent,
    sortsQuery: !values['keep-query-order'],
    delayMs: number('delay', 0, DEFAULTS.delayMs),
    connectionsPerHost: number('per-host', 1, DEFAULTS.connectionsPerHost),
    concurrency: number('concurrency', 1, DEFAULTS.concurrency),
    maxPages: number('max-pages', 1, DEFAULTS.maxPages),
    maxDepth: number('max-depth', 0, DEFAULTS.maxDepth),
    maxPerPattern: number('max-per-pattern', 1, DEFAULTS.maxPerPattern),
    maxInDepths: number('max-in-depths', 1, DEFAULTS.maxInDepths),
    maxBodyBytes: number('max-body-bytes', 1, DEFAULTS.maxBodyBytes),
    timeoutMs: number('timeout', 1, DEFAULTS.timeoutMs),
    retryWaitMs: number('retry-wait', 0, DEFAULTS.retryWaitMs),
  }
  const { revisit, json } = values
  const crawl = { starts: positionals, folder: out, options, revisit, retriesFailed: values['retry-failed'], json }
  return { type: 'crawl', crawl }
}

type BooleanName = 'revisit' | 'retry-failed' | 'keep-query-order' | 'json' | 'help'
