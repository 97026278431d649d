import { checkArgument } from './_refuse.js'
import { bestOf } from './negotiation.js'
import { tryParseWeighted, type Weighted } from './quality.js'

const RANGE = /^(?:\*|[a-z]{1,8}(?:-[a-z\d]{1,8})*)$/i

/** A longer range makes the field malformed. RFC 5646 §4.4.1 counts 35 for the longest tag in use. */
const MAX_RANGE_LENGTH = 64

const isRange = (text: string): boolean => text.length <= MAX_RANGE_LENGTH && RANGE.test(text)

/**
 * RFC 9110 §12.5.4: which of the offered language tags the Accept-Language field wants most; of equals, the one that is
 * offered first. First by basic filtering (RFC 4647 §3.3.1): `de` matches `de-CH`, the longest range that matches a tag
 * decides, and `*` stands for all that no other range matches. Where that finds nothing, by lookup (RFC 4647 §3.4): `de-CH`
 * finds `de`. Without a field, with an empty one and with a malformed one, the first.
 *
 * `undefined` when there is nothing that is wanted: sending the usual language is better than 406, the section says.
 * @throws UsageError `ERR_ARGUMENT` for an offer that is no language tag.
 */
export function chooseLanguage(acceptLanguage: string | undefined, offered: readonly string[]): string | undefined {
  for (const offer of offered) checkArgument(isRange(offer) && offer !== '*', 'an offer', offer, 'a language tag')
  const ranges = acceptLanguage === undefined ? undefined : tryParseWeighted(acceptLanguage)
  if (ranges === undefined || ranges.length === 0) return offered[0]
  if (!ranges.every(({ value }) => isRange(value))) return offered[0]
  return bestOf(offered, (offer) => filtered(ranges, offer) ?? 0) ?? lookedUp(ranges, offered)
}

/** The quality that basic filtering gives to a tag; `undefined` when no range matches it. */
function filtered(ranges: readonly Weighted[], offer: string): number | undefined {
  const tag = offer.toLowerCase()
  let quality: number | undefined
  let longest = -1
  for (const { value, quality: own } of ranges) {
    const length = value === '*' ? 0 : value.length
    if (length <= longest) continue
    if (value !== '*' && tag !== value && !tag.startsWith(`${value}-`)) continue
    longest = length
    quality = own
  }
  return quality
}

/** RFC 4647 §3.4: ranges from the most wanted on, each shortened until it is a tag. A tag that was refused is not found. */
function lookedUp(ranges: readonly Weighted[], offered: readonly string[]): string | undefined {
  const tags = new Map<string, string>()
  for (const offer of offered)
    if (!tags.has(offer.toLowerCase()) && filtered(ranges, offer) !== 0) tags.set(offer.toLowerCase(), offer)
  // Sorting keeps the order of equals.
  for (const { value } of ranges.filter(({ quality }) => quality > 0).toSorted((a, b) => b.quality - a.quality)) {
    for (let range = value; range !== ''; range = shortened(range)) {
      const found = tags.get(range)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** Without the last subtag, and without the single letter that would then be last; '' when nothing is left. */
function shortened(range: string): string {
  const shorter = range.slice(0, Math.max(0, range.lastIndexOf('-')))
  return shorter.at(-2) === '-' ? shorter.slice(0, -2) : shorter
}
