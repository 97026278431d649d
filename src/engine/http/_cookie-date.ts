import { isRealTime, MONTHS, toMilliseconds } from './_calendar.js'

/** RFC 6265bis §5.1.1: what separates the parts of a date, which is all but digits, letters, colons and what is no ASCII. */
const DELIMITERS = /[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/
const TIME = /^(\d\d?):(\d\d?):(\d\d?)(?!\d)/
const DAY = /^(\d\d?)(?!\d)/
const YEAR = /^(\d{2,4})(?!\d)/
const LOWER_MONTHS = MONTHS.map((month) => month.toLowerCase())
/** A date has eight parts or fewer; who sends more than this sends none. */
const MAX_PARTS = 32

/**
 * RFC 6265bis §5.1.1: the date of an Expires attribute, in milliseconds. Old servers write it in many ways, so the parts are
 * known by their form, not by their order, and the first of each form counts. `undefined` when one is missing or wrong.
 */
export function tryParseCookieDate(value: string): number | undefined {
  let time: RegExpExecArray | null = null
  let [day, month, year] = [-1, -1, -1]
  for (const part of value.split(DELIMITERS, MAX_PARTS)) {
    if (time === null) {
      time = TIME.exec(part)
      if (time !== null) continue
    }
    const dayDigits = day === -1 ? DAY.exec(part)?.[1] : undefined
    if (dayDigits !== undefined) {
      day = Number(dayDigits)
      continue
    }
    const monthIndex = month === -1 ? LOWER_MONTHS.indexOf(part.slice(0, 3).toLowerCase()) : -1
    if (monthIndex !== -1) {
      month = monthIndex + 1
      continue
    }
    const yearDigits = year === -1 ? YEAR.exec(part)?.[1] : undefined
    if (yearDigits !== undefined) year = Number(yearDigits)
  }
  if (time === null || day === -1 || month === -1 || year === -1) return undefined
  const [hour, minute, second] = time.slice(1).map(Number)
  if (hour === undefined || minute === undefined || second === undefined) return undefined
  const date = { year: fullYear(year), month, day, hour, minute, second }
  return date.year >= 1601 && second < 60 && isRealTime(date) ? toMilliseconds(date) : undefined
}

function fullYear(year: number): number {
  if (year >= 100) return year
  return year >= 70 ? 1900 + year : 2000 + year
}
