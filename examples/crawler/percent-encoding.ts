const UNRESERVED = /[\w.~-]/

/**
 * RFC 3986 §6.2.2: what need not be encoded is decoded, and hexadecimal digits are in upper case, so that a path is spelt
 * one way. A "%" that encodes nothing stays.
 */
export const normalPercents = (text: string): string =>
  text.includes('%')
    ? text.replace(/%[\da-f]{2}/gi, (encoded) => {
        const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
        return UNRESERVED.test(character) ? character : encoded.toUpperCase()
      })
    : text
