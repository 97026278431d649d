import { readFileSync } from 'node:fs'
import { messageOf, UsageError } from '../base/index.js'
import { hashPassword } from '../http/index.js'
import type { Output } from './output.js'

export const AUTH_OPTIONS = {
  auth: {
    type: 'text',
    value: '<user:password>',
    help: 'who may use the server; with <user> alone the password is that of MOORAGE_PASSWORD',
  },
  'auth-file': { type: 'text', value: '<file>', help: 'the same, a user:password a line' },
} as const

interface AuthChoice {
  readonly auth: string | undefined
  readonly 'auth-file': string | undefined
}

/**
 * The accounts that were asked for, as hashes: the passwords themselves are kept nowhere.
 * @throws UsageError `ERR_OPTION_VALUE`.
 */
export async function readAccounts(
  { auth, 'auth-file': file }: AuthChoice,
  output: Output,
): Promise<Readonly<Record<string, string>> | undefined> {
  if (auth === undefined && file === undefined) return undefined
  const lines = file === undefined ? [] : linesOf(file).map((line) => split(line, '--auth-file'))
  if (auth !== undefined) lines.push(fromLine(auth, output))
  const accounts: [string, string][] = []
  for (const [user, password] of lines) accounts.push([user, await hashPassword(password)])
  return Object.fromEntries(accounts)
}

function fromLine(auth: string, output: Output): readonly [user: string, password: string] {
  if (auth.includes(':')) {
    // Where the system lets a process change what it was started with, the list of processes no longer shows it.
    process.title = 'moorage serve'
    output.note(
      'a password on the command line may be seen by others and is kept by the shell: MOORAGE_PASSWORD or --auth-file is not',
    )
    return split(auth, '--auth')
  }
  const { MOORAGE_PASSWORD: password = '' } = process.env
  delete process.env['MOORAGE_PASSWORD']
  return split(`${auth}:${password}`, '--auth with MOORAGE_PASSWORD')
}

function split(text: string, option: string): readonly [user: string, password: string] {
  const colon = text.indexOf(':')
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)]
  if (colon < 1 || password === '')
    throw new UsageError('ERR_OPTION_VALUE', `Cannot use ${option}: expected a user, a colon and a password`)
  return [user, password]
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split(/\r?\n/)
      .filter((line) => line !== '' && !line.startsWith('#'))
  } catch (cause) {
    throw new UsageError('ERR_OPTION_VALUE', `Cannot read --auth-file ${file}: ${messageOf(cause)}`, { cause })
  }
}
