import type { CurlLine } from './curl-line.js'
import type { CurlUrl } from './curl-url.js'
import { CurlFailure } from './exit-codes.js'

const SPOKEN = ['http', 'https']

/** --proto is for all URLs, --proto-redir for those of redirects beside it. @throws CurlFailure 1. */
export function demandAllowed(line: CurlLine, { isTls }: CurlUrl, isRedirect: boolean): void {
  const protocol = isTls ? 'https' : 'http'
  const flags = isRedirect ? (['proto', 'proto-redir'] as const) : (['proto'] as const)
  const flag = flags.find((name) => !isAllowed(line.text(name), protocol))
  if (flag !== undefined)
    throw new CurlFailure('unsupportedProtocol', `Cannot use ${protocol}: --${flag} does not allow it`)
}

/** Words with commas between: `=https` for that alone, `-http` for all but that, `+https` or `https` beside others. */
function isAllowed(list: string | undefined, protocol: string): boolean {
  let allowed = new Set(SPOKEN)
  for (const word of list?.split(',') ?? []) {
    const [, marks = '', name = ''] = /^([=+-]*)(.*)$/s.exec(word) ?? []
    const meant = name.toLowerCase() === 'all' ? SPOKEN : [name.toLowerCase()]
    if (marks.endsWith('=')) allowed = new Set(meant)
    else if (marks.endsWith('-')) for (const each of meant) allowed.delete(each)
    else for (const each of meant) allowed.add(each)
  }
  return allowed.has(protocol)
}
