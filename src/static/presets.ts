type FieldPairs = readonly (readonly [name: string, value: string])[]

/**
 * What lets pages of other origins read files, with parts and validators, and sends no credentials: for `withFields`.
 * Fetch standard, §3.2.
 * @example
 * withFields(files('public'), CORS_FIELDS)
 */
export const CORS_FIELDS: FieldPairs = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Methods', 'GET, HEAD'],
  ['Access-Control-Allow-Headers', '*'],
  ['Access-Control-Expose-Headers', 'Content-Length, Content-Range, ETag'],
]

/**
 * What makes a page cross-origin isolated, so that it may use shared memory and exact clocks: for `withFields`. What it
 * loads from elsewhere must allow that by its own fields. HTML standard, §7.1.3 and §7.1.4.
 */
export const ISOLATION_FIELDS: FieldPairs = [
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Embedder-Policy', 'require-corp'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
]
