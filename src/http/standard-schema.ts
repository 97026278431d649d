import { HttpError } from './response.js'

/** What valibot, zod, ArkType and others share: version 1 of https://standardschema.dev. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  /** Where in the value, from the outside inwards. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a client is told of at once; the rest it finds when it has put these right. */
const MAX_ISSUES = 100

/**
 * The value as the schema gives it, with its defaults and changes.
 * @throws HttpError 400 with all that is wrong, at most 100 of it: problem details have it as `errors`, each with a
 *   `detail` and a `pointer` as in the example of RFC 9457 §3.
 */
export async function parseBySchema<Output>(schema: StandardSchema<Output>, value: unknown): Promise<Output> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const errors = result.issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
    detail: message,
    pointer: `#${path.map(pointerPart).join('')}`,
  }))
  const words = errors.map(({ detail, pointer }) => (pointer === '#' ? detail : `${pointer}: ${detail}`))
  throw new HttpError(400, words.join('\n'), { extensions: { errors } })
}

/** RFC 6901 §3, as it stands in a fragment (§6). */
function pointerPart(part: PropertyKey | { readonly key: PropertyKey }): string {
  const key = String(typeof part === 'object' ? part.key : part)
  return `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`
}
