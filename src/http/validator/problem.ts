import type { FetchCode } from '../../base/codes-fetch.js'
import { UsageError } from '../../base/errors.js'

/** What is wrong, with the sentence that it is wrong by; `details.rule` is a name that stays. */
export function problem(code: FetchCode, rule: string, message: string, section: string): UsageError {
  return new UsageError(code, `${message} (${section})`, { details: { rule, section } })
}

const MAX_SHOWN = 64

/** A value as it stands in a message. */
export const shown = (value: string): string =>
  JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value)
