/** A URL as people write it: `example.org/x` and `:8000/x` are ones of HTTP. */
export function fullUrl(url: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url) || url.startsWith('http+unix:')) return url
  return url.startsWith(':') ? `http://127.0.0.1${url.replace(/^:(?=\/|$)/, '')}` : `http://${url}`
}
