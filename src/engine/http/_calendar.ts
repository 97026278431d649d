/** A point in time in the Gregorian calendar, in UTC. `month` is from 1 to 12. */
export interface Calendar {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  /** 60 is a leap second, which counts as the first second of the next minute. */
  readonly second: number
}

export const MONTHS: readonly string[] = [
  'Jan',
  'Feb',
  'Mar',
  'Apr',
  'May',
  'Jun',
  'Jul',
  'Aug',
  'Sep',
  'Oct',
  'Nov',
  'Dec',
]
export const WEEKDAYS: readonly string[] = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
]

const DAY_MS = 86_400_000
/** From the first of January of year 1 to that of 1970. */
const DAYS_TO_1970 = 719_162
/** In a year that is no leap year, for each month the days before it, and those of the year at the end. */
const DAYS_BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

const daysBeforeMonth = (year: number, month: number): number =>
  (DAYS_BEFORE[month - 1] ?? 0) + (month > 2 && isLeap(year) ? 1 : 0)

function daysBeforeYear(year: number): number {
  const past = year - 1
  return past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - DAYS_TO_1970
}

/** Milliseconds since 1970; a day beyond its month runs into the next. */
export function toMilliseconds({ year, month, day, hour, minute, second }: Calendar): number {
  const days = daysBeforeYear(year) + daysBeforeMonth(year, month) + day - 1
  return days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000
}

/** Whether month, day and time are in range, the day by its month and year. */
export function isRealTime({ year, month, day, hour, minute, second }: Calendar): boolean {
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60) return false
  return day >= 1 && day <= daysBeforeMonth(year, month + 1) - daysBeforeMonth(year, month)
}

/** The calendar of a time in milliseconds; what is less than a second is left out. */
export function toCalendar(ms: number): Calendar & { readonly weekday: number } {
  const days = Math.floor(ms / DAY_MS)
  const seconds = Math.floor((ms - days * DAY_MS) / 1000)
  let year = Math.floor((days + DAYS_TO_1970) / 365.2425) + 1
  while (daysBeforeYear(year) > days) year -= 1
  while (daysBeforeYear(year + 1) <= days) year += 1
  const dayOfYear = days - daysBeforeYear(year)
  let month = 1
  while (daysBeforeMonth(year, month + 1) <= dayOfYear) month += 1
  return {
    year,
    month,
    day: dayOfYear - daysBeforeMonth(year, month) + 1,
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
    weekday: (((days + 4) % 7) + 7) % 7,
  }
}
