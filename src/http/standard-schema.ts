import { checkBySchema, formatFaults, type StandardSchema } from '../base/standard-schema.js'
import { HttpError } from './response.js'

export type { SchemaIssue, SchemaResult, StandardSchema } from '../base/standard-schema.js'

/**
 * The value as the schema gives it, with its defaults and changes.
 * @throws HttpError 400 with all that is wrong, at most 100 of it: problem details have it as `errors`, each with a
 *   `detail` and a `pointer` as in the example of RFC 9457 §3.
 */
export async function parseBySchema<Output>(schema: StandardSchema<Output>, value: unknown): Promise<Output> {
  const checked = await checkBySchema(schema, value)
  if ('value' in checked) return checked.value
  const { faults } = checked
  throw new HttpError(400, formatFaults(faults), { extensions: { errors: faults } })
}
