import type { DiagnosisStep, StepOutcome } from '../client/index.js'
import { colours, paint, type Style } from './stdout-colour.js'

const MARKS: Readonly<Record<StepOutcome, readonly [mark: string, style: Style]>> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  skipped: ['·', 'dim'],
}

const INDENT = ' '.repeat(12)

/** One step for people: what was found, how long it took, and what to do. */
export function formatStep(
  { name, outcome, elapsedMs, summary, suggestion }: DiagnosisStep,
  colour: boolean = colours(),
): string {
  const [mark, style] = MARKS[outcome]
  const time = outcome === 'skipped' || elapsedMs < 1 ? '' : `  (${Math.round(elapsedMs)} ms)`
  const text = `${name.padEnd(10)}${harmless(summary)}`
  const first = colour
    ? `${paint(style, mark)} ${outcome === 'skipped' ? paint('dim', text) : text}${paint('dim', time)}`
    : `${mark} ${text}${time}`
  if (suggestion === undefined) return first
  const advice = `→ ${harmless(suggestion)}`
  return `${first}\n${INDENT}${colour ? paint('bold', advice) : advice}`
}

/** What was found, in detail. */
export function formatFacts({ facts }: DiagnosisStep, colour: boolean = colours()): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([fact, value]) => `${INDENT}${fact}: ${harmless(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .map((line) => `${colour ? paint('dim', line) : line}\n`)
    .join('')
}

/** For programs: one object a line. */
export function stepToJson({ error, ...step }: DiagnosisStep): object {
  if (error === undefined) return step
  const { name, message } = error
  const told = 'code' in error && 'details' in error ? { code: error.code, details: error.details } : {}
  return { ...step, error: { name, message, ...told } }
}

// oxlint-disable-next-line no-control-regex -- control characters are what is replaced
const harmless = (text: string): string => text.replaceAll(/[\0-\x1f\x7f-\x9f]/g, '?')
