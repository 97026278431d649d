import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { FieldSource } from '#src/engine/http/fields.js'

/** What goes in, what must come out, and the section that says so. */
export type Row<Input, Output> = readonly [name: string, input: Input, expected: Output, section: string]

/** Every row; a failure names the row and its section. */
export function checkTable<Input, Output>(read: (input: Input) => Output, rows: readonly Row<Input, Output>[]): void {
  assert.ok(rows.length > 0)
  for (const [name, input, expected, section] of rows)
    assert.deepEqual(read(input), expected, `${name}: ${JSON.stringify(input)?.slice(0, 200)} (${section})`)
}

/** `parse` gives what `tryParse` gives, and throws with the section where that gives nothing. */
export function checkParsers<T>(
  tryParse: (value: string) => T | undefined,
  parse: (value: string) => T,
  good: string,
  bad: string,
  section: string,
): void {
  const expected = tryParse(good)
  assert.notEqual(expected, undefined)
  assert.deepEqual(parse(good), expected)
  assert.equal(tryParse(bad), undefined)
  assert.throws(() => parse(bad), { name: 'ProtocolError', code: 'ERR_HTTP_FIELD', details: { status: 400, section } })
}

export const refused = { name: 'UsageError', code: 'ERR_ARGUMENT' }

/** Fields with names in lower case. */
export const fieldsOf = (values: Readonly<Record<string, string>>): FieldSource => ({
  get: (name) => values[name.toLowerCase()],
})

export const parametersOf = (values: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> =>
  new Map(Object.entries(values))

/** Texts made of these characters. */
export const textOf = (
  characters: string,
  limits: { readonly minLength?: number; readonly maxLength?: number } = {},
): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom(...Array.from(characters)), ...limits })
