/** The cookies of a file. */
export interface CookieLines {
  /** As a jar has them. */
  readonly stored: readonly unknown[]
  /** Values of Set-Cookie, for files of heads. */
  readonly setCookies: readonly string[]
}

const HTTP_ONLY = '#HttpOnly_'

/**
 * A `cookies.txt` of Netscape, or heads with their Set-Cookie, as curl reads them: a line that is neither is passed over, and
 * a value may be missing. The JSON of a jar is read, too.
 */
export function parseCookieLines(text: string): CookieLines {
  if (/^\s*\{/.test(text)) return { stored: storedOfJson(text), setCookies: [] }
  const lines = text.split(/\r?\n/)
  return {
    stored: lines.flatMap((line) => storedOf(line)),
    setCookies: lines.flatMap((line) => /^set-cookie:\s*(.*)$/is.exec(line)?.[1] ?? []),
  }
}

function storedOf(whole: string): readonly unknown[] {
  const httpOnly = whole.startsWith(HTTP_ONLY)
  const line = httpOnly ? whole.slice(HTTP_ONLY.length) : whole
  const [domain = '', below = '', path = '', secure = '', ends = '', name = '', value = '', ...more] = line.split('\t')
  const isCookie = name !== '' && more.length === 0 && !line.startsWith('#') && /^-?\d*(?:\.\d*)?$/.test(ends)
  if (!isCookie) return []
  return [
    {
      name,
      value,
      domain: domain.replace(/^\./, '').toLowerCase(),
      hostOnly: below.toUpperCase() !== 'TRUE',
      path,
      secure: secure.toUpperCase() === 'TRUE',
      httpOnly,
      ...(Number(ends) === 0 ? {} : { expiresMs: Number(ends) * 1000 }),
    },
  ]
}

function storedOfJson(text: string): readonly unknown[] {
  try {
    const json: unknown = JSON.parse(text)
    const cookies: unknown = typeof json === 'object' && json !== null && 'cookies' in json ? json.cookies : []
    return Array.isArray(cookies) ? cookies : []
  } catch {
    return []
  }
}
