import { UsageError } from '../base/errors.js'

/** A value of a query or a form. `null` is sent as an empty text, `undefined` is left out, a Date is sent as ISO 8601. */
export type Scalar = string | number | boolean | bigint | Date | null | undefined

/**
 * The text that is sent for a value; `undefined` for what is left out.
 * @throws UsageError `ERR_ARGUMENT` for an invalid Date, and for what is none of the kinds.
 */
export function textOfScalar(where: string, name: string, value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'undefined':
      return undefined
    default:
  }
  if (value === null) return ''
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
  throw wrongValue(where, name, 'a text, a number, a boolean, a bigint, a Date, null, or a list of those')
}

export const wrongValue = (where: string, name: string, expected: string): UsageError =>
  new UsageError('ERR_ARGUMENT', `Cannot use ${JSON.stringify(name.slice(0, 64))} of a ${where}: expected ${expected}`)

/** Pairs, of a record or as they are given. @throws UsageError `ERR_ARGUMENT` for what has none. */
export function* pairsOf<T>(
  where: string,
  given: Readonly<Record<string, T>> | Iterable<readonly [name: string, value: T]>,
): Generator<readonly [name: string, value: T], void, undefined> {
  if (typeof given !== 'object' || given === null)
    throw new UsageError('ERR_ARGUMENT', `Cannot use a ${where}: expected a record, pairs or URLSearchParams`)
  if (!isIterable(given)) {
    yield* Object.entries(given)
    return
  }
  for (const pair of given) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string')
      throw new UsageError('ERR_ARGUMENT', `Cannot use a ${where}: expected pairs of a name and a value`)
    yield pair
  }
}

const isIterable = <T>(given: object): given is Iterable<T> => Symbol.iterator in given
