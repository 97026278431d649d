import { UsageError } from '../../base/errors.js'
import { tryFromUtf8, tryToUtf8 } from '../utf8.js'
import { tryFromBase64, toBase64 } from './base64.js'
import { parsed } from './_refuse.js'
import { tryParseCredentials } from './authorization.js'
import { hasControl } from './characters.js'

/** RFC 7617: who, and the proof. */
export interface BasicCredentials {
  readonly user: string
  readonly password: string
}

/**
 * RFC 7617 §2: user and password of an Authorization field; the first colon parts them. `undefined` for another scheme, for
 * base64 that is not padded or otherwise not canonical, for what is not UTF-8 (§2.1), and for control characters.
 */
export function tryParseBasicCredentials(value: string): BasicCredentials | undefined {
  const credentials = tryParseCredentials(value)
  if (credentials?.scheme !== 'basic' || credentials.token68 === undefined) return undefined
  const bytes = tryFromBase64(credentials.token68)
  const text = bytes === undefined ? undefined : tryFromUtf8(bytes)
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon === -1 || hasControl(text)) return undefined
  return { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** As `tryParseBasicCredentials`. @throws ProtocolError `ERR_HTTP_FIELD`, which tells nothing of the value. */
export function parseBasicCredentials(value: string): BasicCredentials {
  return parsed(tryParseBasicCredentials(value), 'Basic credentials', undefined, 'RFC 7617 §2')
}

/**
 * RFC 7617 §2: the value of an Authorization field, in UTF-8.
 * @throws UsageError `ERR_ARGUMENT` for a user with a colon, a control character, and half a surrogate pair.
 */
export function formatBasicCredentials({ user, password }: BasicCredentials): string {
  const text = `${user}:${password}`
  const bytes = tryToUtf8(text)
  if (bytes === undefined || user.includes(':') || hasControl(text))
    throw new UsageError(
      'ERR_ARGUMENT',
      'Cannot format Basic credentials: expected a user without a colon, and no control characters',
    )
  return `Basic ${toBase64(bytes)}`
}
