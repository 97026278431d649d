/** What is to be said to curl. */
export interface CurlRequest {
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly data: string | undefined
  /** Options, each with its value. */
  readonly form: readonly (readonly string[])[]
  readonly flags: readonly string[]
}

/** The command line of curl that sends the same, for a POSIX shell. */
export function formatCurl({ method, url, headers, data, form, flags }: CurlRequest): string {
  const sends = data !== undefined || form.length > 0
  const usual = sends ? 'POST' : 'GET'
  const words = [
    'curl',
    ...flags,
    ...(method === 'HEAD' ? ['--head'] : method === usual ? [] : ['-X', method]),
    ...headers.flatMap(([name, value]) => ['-H', value === '' ? `${name};` : `${name}: ${value}`]),
    ...(data === undefined ? [] : ['--data-binary', data]),
    ...form.flat(),
    url,
  ]
  return words.map(quoted).join(' ')
}

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
