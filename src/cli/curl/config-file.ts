import { readFileSync } from 'node:fs'
import { messageOf } from '../../base/index.js'
import { CurlFailure } from './exit-codes.js'

/**
 * The words of a file of flags: `--flag value`, `flag = value`, `flag: value` or `-f value`, one a line; values with space in
 * quotes, with `\\`, `\"`, `\t`, `\n`, `\r` and `\v` in them; lines with `#` before them are comments. `-` is stdin.
 * @throws CurlFailure 26.
 */
export function readConfigFile(path: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (cause) {
    throw new CurlFailure('read', `Cannot use --config ${path}: ${messageOf(cause)}`, cause)
  }
  return text.split(/\r?\n/).flatMap((line) => wordsOf(line.trim()))
}

const ESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', v: '\v' }

function wordsOf(line: string): readonly string[] {
  if (line === '' || line.startsWith('#')) return []
  const [, name = '', rest = ''] = /^([^\s=:]+)\s*[=:]?\s*(.*)$/s.exec(line) ?? []
  const word = name.startsWith('-') ? name : `--${name}`
  if (rest === '') return [word]
  const [, quoted] = /^"((?:[^"\\]|\\.)*)"/s.exec(rest) ?? []
  if (quoted === undefined) return [word, rest.replace(/\s.*$/s, '')]
  return [word, quoted.replace(/\\(.)/gs, (_, letter: string) => ESCAPED[letter] ?? letter)]
}
