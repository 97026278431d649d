/** What no part of a URL may have, byte by byte. */
export const percentEncode = (text: string, bad: RegExp): string =>
  text.replace(bad, (run) => [...Buffer.from(run)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))

/** A `%` that encodes nothing is one. */
export const percentDecode = (text: string): string =>
  Buffer.from(
    Buffer.from(text)
      .toString('latin1')
      .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString()
