/** Fields with a line break after each, and the status. `TAG` is the tag of the file, which was changed at `DATE`. */
export type PreconditionRow = readonly [fields: string, status: number]

/** RFC 9110 §5.6.7: the second of its example, in the three forms. */
export const DATE_MS: number = Date.UTC(1994, 10, 6, 8, 49, 37)
const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT'
const RFC_850 = 'Sunday, 06-Nov-94 08:49:37 GMT'
const ASCTIME = 'Sun Nov  6 08:49:37 1994'
const BEFORE = 'Sun, 06 Nov 1994 08:49:36 GMT'
const AFTER = 'Sun, 06 Nov 1994 08:49:38 GMT'

const none = (value: string): string => `If-None-Match: ${value}\r\n`
const match = (value: string): string => `If-Match: ${value}\r\n`
const since = (value: string): string => `If-Modified-Since: ${value}\r\n`
const unless = (value: string): string => `If-Unmodified-Since: ${value}\r\n`
const ranged = (value: string): string => `Range: bytes=0-0\r\nIf-Range: ${value}\r\n`

/** RFC 9110 §13, in the order of §13.2.2. */
export const PRECONDITION_ROWS: readonly PreconditionRow[] = [
  ['', 200],
  // §13.1.2, by weak comparison.
  [none('TAG'), 304],
  [none('W/TAG'), 304],
  [none('*'), 304],
  [none('"other"'), 200],
  [none('"other", TAG'), 304],
  [none('"a","b" ,W/"c",TAG,"d"'), 304],
  [none('"a", , TAG'), 304],
  [none('"a"') + none('TAG'), 304],
  [none('"with,comma", TAG'), 304],
  [none('"with space", TAG'), 200],
  [none('""'), 200],
  [none('w/TAG'), 200],
  [none('W/ TAG'), 200],
  [none('BARE'), 200],
  [none('"a" TAG'), 200],
  [none('*, TAG'), 200],
  [none(`${'"x", '.repeat(200)}"y"`), 200],
  // §13.1.1, by strong comparison.
  [match('TAG'), 200],
  [match('*'), 200],
  [match('"other", TAG'), 200],
  [match('W/TAG'), 412],
  [match('"other"'), 412],
  [match('""'), 412],
  [match('BARE'), 412],
  // §13.1.3: the three forms; a later date is as good; what is no date is no condition.
  [since(DATE), 304],
  [since(RFC_850), 304],
  [since(ASCTIME), 304],
  [since(AFTER), 304],
  [since(BEFORE), 200],
  [since('Sunday, 06-Nov-94 08:49:36 GMT'), 200],
  [since('Sun Nov  6 08:49:36 1994'), 200],
  [since('Sun, 06 Nov 1994 08:49:37 UTC'), 200],
  [since('Sun, 6 Nov 1994 08:49:37 GMT'), 200],
  [since('1994-11-06T08:49:37Z'), 200],
  [since('Sun, 31 Feb 1994 08:49:37 GMT'), 200],
  [since('0'), 200],
  [since('-1'), 200],
  // §13.1.4.
  [unless(DATE), 200],
  [unless(RFC_850), 200],
  [unless(ASCTIME), 200],
  [unless(AFTER), 200],
  [unless(BEFORE), 412],
  [unless('Sun Nov  6 08:49:36 1994'), 412],
  [unless('yesterday'), 200],
  // §13.2.2: tags before dates, If-Match before If-None-Match.
  [none('"other"') + since(DATE), 200],
  [none('TAG') + since(BEFORE), 304],
  [match('TAG') + unless(BEFORE), 200],
  [match('"other"') + unless(DATE), 412],
  [match('TAG') + none('TAG'), 304],
  [match('"other"') + none('TAG'), 412],
  [unless(BEFORE) + none('TAG'), 412],
  [unless(DATE) + since(DATE), 304],
  [`${none('TAG')}Range: bytes=0-0\r\n`, 304],
  [`${match('"other"')}Range: bytes=0-0\r\n`, 412],
  [`${none('"other"')}Range: bytes=0-0\r\n`, 206],
  [`${none('TAG')}Range: bytes=99-\r\n`, 304],
  // §13.1.5: by strong comparison, or the very date.
  [ranged('TAG'), 206],
  [ranged('W/TAG'), 200],
  [ranged('"other"'), 200],
  [ranged(DATE), 206],
  [ranged(RFC_850), 206],
  [ranged(ASCTIME), 206],
  [ranged(BEFORE), 200],
  [ranged(AFTER), 200],
  [ranged('BARE'), 200],
  [ranged('*'), 200],
  ['If-Range: "other"\r\n', 200],
  ['Range: bytes=99-\r\nIf-Range: "other"\r\n', 200],
  ['Range: bytes=99-\r\nIf-Range: TAG\r\n', 416],
]
