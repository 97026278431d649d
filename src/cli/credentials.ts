import { UsageError } from '../base/index.js'
import { basic, bearer, digest, netrc, type Auth } from '../client/index.js'

export interface CredentialOptions {
  readonly auth: string | undefined
  readonly 'auth-type': string | undefined
  readonly netrc: boolean | undefined
}

/** What --auth, --auth-type, --netrc and MOORAGE_AUTH come to. @throws UsageError `ERR_OPTION_VALUE`. */
export function authOf(options: CredentialOptions): Auth | undefined {
  if (options.netrc === true) return netrc()
  const text = options.auth ?? process.env['MOORAGE_AUTH']
  if (text === undefined) return undefined
  const [, user = text, password = ''] = /^([^:]*):(.*)$/s.exec(text) ?? []
  switch (options['auth-type'] ?? 'basic') {
    case 'basic':
      return basic(user, password)
    case 'digest':
      return digest(user, password)
    case 'bearer':
      return bearer(text)
    default:
      throw new UsageError(
        'ERR_OPTION_VALUE',
        `Cannot use --auth-type ${options['auth-type'] ?? ''}: there are basic, digest and bearer`,
      )
  }
}
