import { readSource } from './source-files.js'

/** One field of --header: with a value, empty, or taken away. */
export interface HeaderLine {
  readonly name: string
  readonly value: string
  readonly isRemoved: boolean
}

/**
 * `Name: value`, `Name;` for an empty one, `Name:` for none; `@file` has one a line. What has no colon is passed over.
 * @throws CurlFailure 26.
 */
export async function parseHeaderLines(given: readonly string[]): Promise<readonly HeaderLine[]> {
  const texts: string[] = []
  for (const text of given) texts.push(...(text.startsWith('@') ? await linesOf(text.slice(1)) : [text]))
  return texts.flatMap((text) => {
    const [, name = '', mark, value = ''] = /^([^:;]+)([:;])(.*)$/s.exec(text) ?? []
    if (mark === ';' && value.trim() === '') return [{ name: name.trim(), value: '', isRemoved: false }]
    const colon = text.indexOf(':')
    if (colon < 1) return []
    const rest = text.slice(colon + 1).trim()
    return [{ name: text.slice(0, colon).trim(), value: toFieldBytes(rest), isRemoved: rest === '' }]
  })
}

const linesOf = async (path: string): Promise<readonly string[]> =>
  (await readSource(path))
    .toString()
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')

/** UTF-8 goes out byte for byte. */
export const toFieldBytes = (text: string): string => Buffer.from(text).toString('latin1')
