import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { escapeBytes } from '#src/base/ascii.js'
import { readByLlhttp, type TheirRequest } from './_llhttp.js'
import { serve, toBytes, type Seen, type SeenRequest } from './_requests.js'
import { READ, REFUSED } from './rows/all.js'

/** The first request that the two read in two ways. */
interface Difference {
  readonly input: string
  readonly theirs: TheirRequest | undefined
  /** Why llhttp stopped; '' when it did not. */
  readonly error: string
  readonly why: string
}

/** Where the two may differ, and the sentence of the standard that says so, in our words. */
interface Explained {
  readonly name: string
  readonly section: string
  readonly why: string
  /** An input on which they differ so. */
  readonly example: string
  readonly is: (difference: Difference) => boolean
}

/** Whether the two agree on an input from which is taken what explains the difference, or what is left is explained too. */
function agreeWithout(input: string, what: RegExp, instead: string): boolean {
  const rest = input.replaceAll(what, instead)
  if (rest === input) return false
  const difference = differenceOn(rest)
  return difference === undefined || explanationOf(difference) !== undefined
}

export const explanationOf = (difference: Difference): Explained | undefined =>
  EXPLAINED.find(({ is }) => is(difference))

const HEAD = ' HTTP/1.1\r\nHost: a\r\n'

/** Methods that llhttp knows, but of HTTP/2, RTSP and ICE alone. */
const OTHER_PROTOCOLS =
  /^(?:PRI|SOURCE|DESCRIBE|ANNOUNCE|SETUP|PLAY|PAUSE|TEARDOWN|[GS]ET_PARAMETER|REDIRECT|RECORD|FLUSH) (?=\S+ HTTP\/1)/gm

export const EXPLAINED: readonly Explained[] = [
  {
    name: 'methods',
    section: 'RFC 9110 §9.1',
    why: 'Methods are tokens, and new ones may be defined at any time: llhttp has a list of those it knows.',
    example: `M-WALK /${HEAD}\r\n`,
    is: ({ input, theirs, error }) =>
      (theirs?.hasHead !== true && error === 'HPE_INVALID_METHOD') || agreeWithout(input, OTHER_PROTOCOLS, 'GET '),
  },
  {
    name: 'extensions',
    section: 'RFC 9112 §7.1.1',
    why: 'A reader passes over chunk extensions that it does not know; llhttp refuses those that are not name=value.',
    example: `POST /${HEAD}Transfer-Encoding: chunked\r\n\r\n5; a = b\r\nhello\r\n0\r\n\r\n`,
    is: ({ input }) => agreeWithout(input, /^([\da-f]{1,13});[^\r\n]*\r\n/gim, '$1\r\n'),
  },
  {
    name: 'white space',
    section: 'RFC 9112 §5.1',
    why: 'White space behind a value, tabs too, is no part of it; llhttp refuses a tab there where the value frames.',
    example: `POST /${HEAD}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`,
    is: ({ input }) => agreeWithout(input, /^([^\r\n:]+:[^\r\n]*?)[ \t]+\r\n/gm, '$1\r\n'),
  },
  {
    name: 'Proxy-Connection',
    section: 'RFC 9112 §9.3',
    why: 'Connection alone says whether a connection persists; llhttp reads Proxy-Connection like it.',
    example: `GET /${HEAD}Proxy-Connection: close\r\n\r\nGET /${HEAD}\r\n`,
    is: ({ input }) => agreeWithout(input, /^Proxy-Connection:/gim, 'X-Connection:'),
  },
]

/** A few bits of chance that come again with the same seed (xorshift32). */
export class Chance {
  #state: number
  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }
  below(count: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % count
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
}

/** What lets the fields and lines of one input come into another. */
const PIECES: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  ' ',
  '\t',
  '\x00',
  '\x0b',
  '\xa0',
  ':',
  ';',
  ',',
  '"',
  '\\',
  '0',
  '1',
  '5',
  'a',
  'f',
  '-',
  '+',
  '_',
  '0x',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Host: a\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: upgrade\r\nUpgrade: b\r\n',
  'Expect: 100-continue\r\n',
  ' HTTP/1.0\r\n',
  ' HTTP/1.1\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
]
/** Most changes spoil a request: so those that are read come more often. */
const SEEDS: readonly string[] = [...READ, ...READ, ...READ, ...READ, ...READ, ...REFUSED]
  .filter(({ bytes, options }) => bytes.length <= 600 && options === undefined)
  .map(({ bytes }) => bytes)

/** A row, or two that are joined, with up to five changes. */
export function mutated(chance: Chance): string {
  let text = chance.of(SEEDS)
  if (chance.below(4) === 0) {
    const other = chance.of(SEEDS)
    text = text.slice(0, chance.below(text.length + 1)) + other.slice(chance.below(other.length + 1))
  }
  for (let changes = chance.below(5); changes > 0; changes -= 1) {
    const at = chance.below(text.length + 1)
    const length = chance.below(8)
    const [before, after] = [text.slice(0, at), text.slice(at)]
    switch (chance.below(5)) {
      case 0:
        text = before + String.fromCharCode(chance.below(256)) + after.slice(1)
        break
      case 1:
        text = before + after.slice(length)
        break
      case 2:
        text = before + after.slice(0, length) + after
        break
      default:
        text = before + chance.of(PIECES) + after
    }
  }
  return text
}

export interface Finding {
  readonly input: string
  readonly why: string
}

export interface Tally {
  inputs: number
  /** Requests that both read, and alike. */
  alike: number
  readonly explained: Map<string, number>
  readonly findings: Finding[]
}

/** Gives one input to both. What we read must be what they read; what we refuse is ours to refuse. */
export function differenceOn(input: string, ours: Seen = serve([toBytes(input)])): Difference | undefined {
  const { requests, error } = readByLlhttp(toBytes(input))
  for (const [i, request] of ours.requests.entries()) {
    const theirs = requests[i]
    const isCutShort = !request.whole && ours.section !== ''
    const why = differenceOf(request, theirs, isCutShort)
    if (why !== undefined) return { input, theirs, error, why: `request ${i}: ${why} (${error})` }
  }
  const whole = requests.filter((request) => request.whole).length
  if (ours.ending !== 'need-data' || whole <= ours.requests.length) return undefined
  return { input, theirs: undefined, error, why: `they read ${whole} requests, we ${ours.requests.length}` }
}

/** One input through both, and every eighth through ours in two pieces too. */
export function compare(input: string, tally: Tally): void {
  const bytes = toBytes(input)
  const ours = serve([bytes])
  tally.inputs += 1
  if (tally.inputs % 8 === 0) {
    const at = Math.floor((bytes.length * ((tally.inputs / 8) % 16)) / 16)
    assert.deepEqual(serve([bytes.subarray(0, at), bytes.subarray(at)]), ours, `cut at ${at}: ${escapeBytes(bytes)}`)
  }
  const difference = differenceOn(input, ours)
  if (difference === undefined) {
    tally.alike += ours.requests.length
    return
  }
  const explained = explanationOf(difference)
  if (explained === undefined) tally.findings.push({ input, why: difference.why })
  else tally.explained.set(explained.name, (tally.explained.get(explained.name) ?? 0) + 1)
}

/** Of a request whose body we refuse, what came before the refusal must be as they read it. */
function differenceOf(ours: SeenRequest, theirs: TheirRequest | undefined, isCutShort: boolean): string | undefined {
  if (theirs?.hasHead !== true) return 'they have no such request'
  for (const key of ['method', 'target', 'version', 'fields'] as const)
    if (!isDeepStrictEqual(ours[key], theirs[key]))
      return `${key}: ${JSON.stringify(ours[key])} here, ${JSON.stringify(theirs[key])} there`
  if (isCutShort ? !theirs.body.startsWith(ours.body) : theirs.body !== ours.body)
    return `body: ${JSON.stringify(ours.body)} here, ${JSON.stringify(theirs.body)} there`
  if (isCutShort) return undefined
  if (ours.whole !== theirs.whole) return `whole: ${ours.whole} here, ${theirs.whole} there`
  if (ours.whole && !isDeepStrictEqual(ours.trailers, theirs.trailers)) return 'other trailers'
  return undefined
}

export function fuzz(inputs: number, seed: number): Tally {
  const chance = new Chance(seed)
  const tally: Tally = { inputs: 0, alike: 0, explained: new Map(), findings: [] }
  for (let i = 0; i < inputs; i += 1) compare(mutated(chance), tally)
  return tally
}
