/** A URL for a message: nothing of who one is, whatever characters a password has. What is long is cut. */
export const shownUrl = (text: string): string =>
  JSON.stringify(text.replace(/^([a-z][a-z0-9+.-]*:\/*)?.*@/is, '$1…@').slice(0, 200))
