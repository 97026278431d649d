import { ProtocolError, UsageError } from '../../base/errors.js'

/** A text cut and escaped for a message; nothing of one that may be a secret, which is `undefined` here. */
const shown = (before: string, text: string | undefined): string =>
  text === undefined ? '' : `${before}${JSON.stringify(text.slice(0, 64))}`

/** The result when there is one. @throws ProtocolError `ERR_HTTP_FIELD` with `details.status` and `details.section`. */
export function parsed<T>(result: T | undefined, what: string, value: string | undefined, section: string): T {
  if (result !== undefined) return result
  throw new ProtocolError('ERR_HTTP_FIELD', `Cannot parse ${what}${shown(' ', value)}: malformed, or over a limit`, {
    details: { status: 400, section },
  })
}

/** @throws UsageError `ERR_ARGUMENT`, unless it is right. */
export function checkArgument(isRight: boolean, what: string, given: string | undefined, wanted: string): void {
  if (isRight) return
  throw new UsageError('ERR_ARGUMENT', `Cannot use ${what}: expected ${wanted}${shown(', got ', given)}`)
}
