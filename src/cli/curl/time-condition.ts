import { statSync } from 'node:fs'
import { wrongValue } from './curl-line.js'

/** RFC 9110 §13.1.3 and §13.1.4: --time-cond has a date, or a file whose date it is; `-` before it asks for what is older. */
export function timeConditionOf(given: string | undefined): readonly [name: string, value: string] | undefined {
  if (given === undefined) return undefined
  const isOlder = given.startsWith('-')
  const text = given.replace(/^[-+=]/, '')
  const ms = timeOf(text)
  if (ms === undefined) throw wrongValue('time-cond', given, 'a date, or a file that is there')
  return [isOlder ? 'If-Unmodified-Since' : 'If-Modified-Since', new Date(ms).toUTCString()]
}

function timeOf(text: string): number | undefined {
  const [, year, month, day] = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(text) ?? []
  if (year !== undefined) return Date.UTC(Number(year), Number(month) - 1, Number(day))
  // Without a zone it is a time of UTC.
  const parsed = Date.parse(/(?:[+-]\d{2}:?\d{2}|gmt|utc|z)\s*$/i.test(text) ? text : `${text} GMT`)
  if (!Number.isNaN(parsed)) return parsed
  try {
    return statSync(text).mtimeMs
  } catch {
    return undefined
  }
}
