import { readFileSync } from 'node:fs'
import { messageOf } from '../../base/index.js'
import { CurlFailure } from './exit-codes.js'

/** One field of --header: with a value, empty, or taken away. */
export interface HeaderLine {
  readonly name: string
  readonly value: string
  readonly isRemoved: boolean
}

/** `Name: value`, `Name;` for an empty one, `Name:` for none; `@file` has one a line. What has no colon is passed over. */
export function parseHeaderLines(given: readonly string[]): readonly HeaderLine[] {
  return given
    .flatMap((text) => (text.startsWith('@') ? linesOf(text.slice(1)) : [text]))
    .flatMap((text) => {
      const [, name = '', mark, value = ''] = /^([^:;]+)([:;])(.*)$/s.exec(text) ?? []
      if (mark === ';' && value.trim() === '') return [{ name: name.trim(), value: '', isRemoved: false }]
      const colon = text.indexOf(':')
      if (colon < 1) return []
      const rest = text.slice(colon + 1).trim()
      return [{ name: text.slice(0, colon).trim(), value: toFieldBytes(rest), isRemoved: rest === '' }]
    })
}

function linesOf(path: string): readonly string[] {
  try {
    const text = readFileSync(path === '-' ? 0 : path, 'utf8')
    return text.split(/\r?\n/).filter((line) => line.trim() !== '')
  } catch (cause) {
    throw new CurlFailure('read', `Cannot read ${JSON.stringify(path)}: ${messageOf(cause)}`, cause)
  }
}

/** UTF-8 goes out byte for byte. */
export const toFieldBytes = (text: string): string => Buffer.from(text).toString('latin1')
