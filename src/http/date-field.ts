let second = -1
let line = ''

/** `Date: …` of this second (RFC 9110 §6.6.1). */
export function dateField(): string {
  const now = Date.now()
  const current = Math.floor(now / 1000)
  if (current !== second) {
    second = current
    line = `Date: ${new Date(now).toUTCString()}\r\n`
  }
  return line
}
