import type { ClientResponse } from '../client/index.js'
import { colours, paint, type Style } from './stdout-colour.js'

/** The status line and the fields, as they came; control characters of theirs do not reach the terminal. */
export function formatHead(
  { status, reason, httpVersion, headers }: ClientResponse,
  colour: boolean = colours(),
): string {
  const style: Style = status < 300 ? 'green' : status < 400 ? 'cyan' : status < 500 ? 'yellow' : 'red'
  const first = `HTTP/${httpVersion} ${status} ${harmless(reason)}`.trimEnd()
  const lines = [...headers].map(([name, value]) =>
    colour ? `${paint('cyan', name)}: ${harmless(value)}` : `${name}: ${harmless(value)}`,
  )
  return `${[colour ? paint(style, first) : first, ...lines].join('\n')}\n\n`
}

// oxlint-disable-next-line no-control-regex -- control characters are what is replaced
const harmless = (text: string): string => text.replaceAll(/[\0-\x08\x0a-\x1f\x7f-\x9f]/g, '?')

/** More of a text is shown as it came: what is so long nobody reads. */
const MAX_PRETTY = 4 * 1024 * 1024

/** JSON in lines, and coloured; anything else as it is. */
export function formatBody(text: string, contentType: string | undefined, colour: boolean = colours()): string {
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(contentType ?? '') || text.length > MAX_PRETTY) return text
  try {
    const pretty = JSON.stringify(JSON.parse(text), undefined, 2)
    return `${colour ? colourJson(pretty) : pretty}\n`
  } catch {
    // It says that it is JSON, and is not: then it is shown as it came.
    return text
  }
}

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

function colourJson(text: string): string {
  return text.replaceAll(TOKENS, (whole: string, quoted: string | undefined, colon: string | undefined) => {
    if (colon !== undefined) return `${paint('blue', quoted ?? '')}${colon}`
    if (quoted !== undefined) return paint('green', quoted)
    return paint(/^[tfn]/.test(whole) ? 'magenta' : 'yellow', whole)
  })
}

const CELLS = 40

/** Where the time went, as a picture: the requests before a redirect as a line each, the last one by its phases. */
export function formatTiming({ elapsed, history }: ClientResponse, allMs: number): string {
  const { resolveMs, connectMs, tlsMs, firstByteMs, bodyMs } = elapsed
  const phases: readonly Phase[] = [
    ...history.map((hop): Phase => [String(hop.status), hop.elapsed.totalMs, hop.url]),
    ['resolve', resolveMs],
    ['connect', connectMs],
    ['TLS', tlsMs],
    ['wait', firstByteMs],
    ['body', bodyMs],
  ]
  // For a turn, between two tries, and for whoever takes the body.
  const restMs = allMs - phases.reduce((sum, [, ms = 0]) => sum + ms, 0)
  let at = 0
  const lines = [...phases, ['between', restMs < WORTH_A_LINE_MS ? undefined : restMs] as const].flatMap(
    ([name, ms, what]: Phase) => {
      if (ms === undefined) return []
      const from = Math.round((at / allMs) * CELLS)
      at += ms
      const to = Math.min(CELLS, Math.max(from + 1, Math.round((at / allMs) * CELLS)))
      const bar = ' '.repeat(Math.min(from, CELLS)) + '█'.repeat(Math.max(0, to - from))
      return [`${timed(name, ms)}  ${what === undefined ? bar : `${bar.padEnd(CELLS)}  ${what}`}`]
    },
  )
  return [...lines, timed('in all', allMs)].join('\n')
}

type Phase = readonly [name: string, ms: number | undefined, what?: string]

const WORTH_A_LINE_MS = 5
const timed = (name: string, ms: number): string => `${name.padEnd(8)}${ms.toFixed(1).padStart(9)} ms`
