import { byteCount, count, readOptions, type OptionSpecs } from '../../base/options.js'

export interface Http1Settings {
  readonly maxStartLineBytes: number
  readonly maxFieldBytes: number
  readonly maxFieldsBytes: number
  readonly maxFields: number
  readonly maxBodyBytes: number
  readonly maxChunkExtensionBytes: number
  readonly maxTrailerBytes: number
  readonly maxTrailers: number
}
export type Http1Options = Partial<Http1Settings>

export const HTTP1_OPTIONS: OptionSpecs<Http1Settings> = {
  maxStartLineBytes: byteCount(
    8192,
    'The longest request line or status line, its ending not counted. nginx and Apache stop at 8 KiB, Python at 64 KiB; RFC 9112 §3 asks for 8,000 at least.',
  ),
  maxFieldBytes: byteCount(
    8192,
    'The longest field line: its name, its value and what stands between. nginx and Apache stop at 8 KiB.',
  ),
  maxFieldsBytes: byteCount(
    32_768,
    'All field lines of a message together. Node stops at 16 KiB, nginx at 32 KiB, Go at 1 MiB: it is held for each connection that sends one.',
  ),
  maxFields: count(100, 'How many fields a message may have. Apache and Python stop at 100; Node at 2,000.'),
  maxBodyBytes: byteCount(
    Infinity,
    'The longest body that is read. A server sets its own, lower one; nginx has 1 MiB, Go none: what streams needs no bound here.',
  ),
  maxChunkExtensionBytes: byteCount(
    4096,
    'Chunk extensions of a message together: nobody uses them, and endless ones were used to wear servers out (CVE-2023-39326, CVE-2024-22019). Node stops at 16 KiB.',
    { min: 0 },
  ),
  maxTrailerBytes: byteCount(8192, 'All trailers of a message together. Node counts them with the fields, at 16 KiB.', {
    min: 0,
  }),
  maxTrailers: count(32, 'How many trailers a message may have. h2o and Envoy have 100 for fields and trailers.', {
    min: 0,
  }),
}

export interface Http1ClientSettings extends Http1Settings {
  readonly maxInterimResponses: number
}
export type Http1ClientOptions = Partial<Http1ClientSettings>

export const HTTP1_CLIENT_OPTIONS: OptionSpecs<Http1ClientSettings> = {
  ...HTTP1_OPTIONS,
  maxInterimResponses: count(
    16,
    'How many responses of 1xx may come before the response: a server that sends 100 for ever would keep a client for ever. Go 1.19 stops at 5, Python nowhere; a page with early hints sends one or two.',
    { min: 0 },
  ),
}

/** What `ServerConnection` is made with. @throws UsageError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_VALUE`. */
export const readHttp1Options = (options?: Http1Options): Readonly<Http1Settings> =>
  readOptions('Http1', HTTP1_OPTIONS, options)

/** What `ClientConnection` is made with. @throws UsageError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_VALUE`. */
export const readHttp1ClientOptions = (options?: Http1ClientOptions): Readonly<Http1ClientSettings> =>
  readOptions('Http1Client', HTTP1_CLIENT_OPTIONS, options)
