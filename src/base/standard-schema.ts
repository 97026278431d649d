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

/** What is wrong with a value: at most so many of its faults are told. */
const MAX_ISSUES = 100

/** A fault of a value, and where it is: a pointer of RFC 6901 §6, "#" for all of it. */
export interface ValueFault {
  readonly detail: string
  readonly pointer: string
}

/** The value as the schema gives it, with its defaults and changes; or its faults. */
export async function checkBySchema<Output>(
  schema: StandardSchema<Output>,
  value: unknown,
): Promise<{ readonly value: Output } | { readonly faults: readonly ValueFault[] }> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return { value: result.value }
  const faults = result.issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
    detail: message,
    pointer: `#${path.map(pointerPart).join('')}`,
  }))
  return { faults }
}

/** One to a line. */
export const formatFaults = (faults: readonly ValueFault[]): string =>
  faults.map(({ detail, pointer }) => (pointer === '#' ? detail : `${pointer}: ${detail}`)).join('\n')

/** RFC 6901 §3, as it stands in a fragment (§6). */
function pointerPart(part: PropertyKey | { readonly key: PropertyKey }): string {
  const key = String(typeof part === 'object' ? part.key : part)
  return `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`
}
