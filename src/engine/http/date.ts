import { isRealTime, MONTHS, toCalendar, toMilliseconds, WEEKDAYS } from './_calendar.js'
import { checkArgument, parsed } from './_refuse.js'

const short = WEEKDAYS.map((name) => name.slice(0, 3))
const days = short.join('|')
const month = `(?<month>${MONTHS.join('|')})`
const time = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`

/** RFC 9110 §5.6.7: the form that is sent, and the two that are only read. Case and spaces are part of each. */
const IMF_FIXDATE = new RegExp(String.raw`^(?:${days}), (?<day>\d\d) ${month} (?<year>\d{4}) ${time} GMT$`)
const RFC_850 = new RegExp(String.raw`^(?:${WEEKDAYS.join('|')}), (?<day>\d\d)-${month}-(?<year>\d\d) ${time} GMT$`)
const ASCTIME = new RegExp(String.raw`^(?:${days}) ${month} (?<day>[ \d]\d) ${time} (?<year>\d{4})$`)
const FORMS = [IMF_FIXDATE, RFC_850, ASCTIME]

/** An RFC 850 date that is farther ahead than this is in the past. */
const AHEAD_YEARS = 50

/**
 * RFC 9110 §5.6.7: a date in any of the three forms, in milliseconds since 1970. `nowMs` is for the years of two digits: of
 * all such years it is the latest that is not more than 50 years ahead of it.
 *
 * The weekday must be the name of one, but need not be the right one. A second of 60 is read, as the first of the next
 * minute. `undefined` for anything else: the fields that hold a date are ignored then.
 */
export function tryParseDate(value: string, nowMs: number): number | undefined {
  for (const form of FORMS) {
    const found = form.exec(value)?.groups
    if (found === undefined) continue
    const number = (name: string): number => Number(found[name])
    const date = {
      year: number('year'),
      month: MONTHS.indexOf(found['month'] ?? '') + 1,
      day: number('day'),
      hour: number('hour'),
      minute: number('minute'),
      second: number('second'),
    }
    if (form === RFC_850) {
      const now = toCalendar(nowMs)
      const latest = toMilliseconds({ ...now, year: now.year + AHEAD_YEARS })
      date.year += Math.floor((now.year + AHEAD_YEARS) / 100) * 100
      if (toMilliseconds(date) > latest) date.year -= 100
    }
    return isRealTime(date) ? toMilliseconds(date) : undefined
  }
  return undefined
}

/** As `tryParseDate`. @throws ProtocolError `ERR_HTTP_FIELD`. */
export function parseDate(value: string, nowMs: number): number {
  return parsed(tryParseDate(value, nowMs), 'date', value, 'RFC 9110 §5.6.7')
}

/** The years of four digits: 0000 to 9999. */
const FIRST_MS = -62_167_219_200_000
const LAST_MS = 253_402_300_799_999

/**
 * RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`. What is less than a second is left out.
 * @throws UsageError `ERR_ARGUMENT` for a time outside of the years 0 to 9999.
 */
export function formatDate(ms: number): string {
  checkArgument(ms >= FIRST_MS && ms <= LAST_MS, 'date', String(ms), 'milliseconds within the years 0 to 9999')
  const { year, month: monthNumber, day, hour, minute, second, weekday } = toCalendar(ms)
  const date = `${two(day)} ${MONTHS[monthNumber - 1]} ${String(year).padStart(4, '0')}`
  return `${short[weekday]}, ${date} ${two(hour)}:${two(minute)}:${two(second)} GMT`
}

const two = (count: number): string => String(count).padStart(2, '0')
