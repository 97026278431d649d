export {
  formatChallenge,
  formatCredentials,
  parseChallenges,
  parseCredentials,
  tryParseChallenges,
  tryParseCredentials,
  type Challenge,
  type Credentials,
} from './authorization.js'
export {
  formatBasicCredentials,
  parseBasicCredentials,
  tryParseBasicCredentials,
  type BasicCredentials,
} from './basic.js'
export { isFieldValue, isToken } from './characters.js'
export {
  formatContentDisposition,
  parseContentDisposition,
  tryParseContentDisposition,
  type ContentDisposition,
} from './content-disposition.js'
export { formatCookies, isCookieValue, MAX_COOKIES, parseCookies, tryParseCookies } from './cookie.js'
export { formatDate, parseDate, tryParseDate } from './date.js'
export {
  formatEntityTag,
  isStrongMatch,
  isWeakMatch,
  parseEntityTag,
  parseEntityTags,
  tryParseEntityTag,
  tryParseEntityTags,
  type EntityTag,
} from './etag.js'
export { encodeField, type FieldInit, type Fields, type FieldSource } from './fields.js'
export { MAX_HOPS, tryParseForwarded, tryParseXForwarded, type ForwardedHop, type ForwardedNode } from './forwarded.js'
export { chooseLanguage } from './language.js'
export {
  formatParameters,
  MAX_LIST_MEMBERS,
  MAX_PARAMETERS,
  parseList,
  parseParameters,
  quote,
  tryParseList,
  tryParseParameters,
  tryUnquote,
  unquote,
  type Parameters,
} from './list.js'
export {
  charsetOf,
  formatMediaType,
  matchesMediaRange,
  parseMediaType,
  tryParseMediaRange,
  tryParseMediaType,
  type MediaType,
} from './media-type.js'
export { chooseEncoding, chooseMediaType } from './negotiation.js'
export {
  evaluatePreconditions,
  rangeApplies,
  type CurrentRepresentation,
  type PreconditionOutcome,
} from './preconditions.js'
export { tryParseQuality, tryParseWeighted, type Weighted } from './quality.js'
export {
  formatContentRange,
  MAX_RANGES,
  parseContentRange,
  resolveRanges,
  tryParseContentRange,
  type ByteRange,
  type ContentRange,
  type RangeOutcome,
} from './range.js'
export {
  formatSetCookie,
  MAX_COOKIE_ATTRIBUTE_BYTES,
  MAX_COOKIE_BYTES,
  parseSetCookie,
  tryParseSetCookie,
  type SameSite,
  type SetCookie,
} from './set-cookie.js'
export { isStatus, reasonOf } from './status.js'
