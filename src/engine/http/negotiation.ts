import { checkArgument } from './_refuse.js'
import { isToken } from './characters.js'
import { tryParseList, type Parameters } from './list.js'
import { matchesMediaRange, tryParseMediaRange, tryParseMediaType, type MediaType } from './media-type.js'
import { tryParseQuality, tryParseWeighted } from './quality.js'

interface WeightedRange {
  readonly range: MediaType
  readonly quality: number
}

/** RFC 9110 §12.5.1: the ranges of an Accept field; `undefined` when it is malformed. */
function tryParseAccept(value: string): readonly WeightedRange[] | undefined {
  const members = tryParseList(value)
  if (members === undefined) return undefined
  const found: WeightedRange[] = []
  for (const member of members) {
    const range = tryParseMediaRange(member)
    if (range === undefined) return undefined
    const quality = tryParseQuality(range.parameters.get('q') ?? '1')
    if (quality === undefined) return undefined
    found.push({ range: { ...range, parameters: withoutWeight(range.parameters) }, quality })
  }
  return found
}

/** A weight is one wherever it stands; what was behind it in older standards is read as a parameter of the range. */
function withoutWeight(parameters: Parameters): Parameters {
  if (!parameters.has('q')) return parameters
  const others = new Map(parameters)
  others.delete('q')
  return others
}

/** The offer of the highest quality above 0, the first of equal ones; `undefined` when there is none. */
export function bestOf(offered: readonly string[], qualityOf: (offer: string) => number): string | undefined {
  let best: string | undefined
  let highest = 0
  for (const offer of offered) {
    const quality = qualityOf(offer)
    if (quality <= highest) continue
    best = offer
    highest = quality
  }
  return best
}

/**
 * RFC 9110 §12.5.1: which of the offered media types the Accept field wants most; of equals, the one that is offered first.
 * For each offer the most specific range that it lies in decides. Without a field, with an empty one and with a malformed
 * one, the first.
 *
 * `undefined` when none is acceptable: answer 406, or send one nevertheless, as the section allows.
 * @throws UsageError `ERR_ARGUMENT` for an offer that is no media type.
 */
export function chooseMediaType(accept: string | undefined, offered: readonly string[]): string | undefined {
  const ranges = accept === undefined ? undefined : tryParseAccept(accept)
  if (ranges === undefined || ranges.length === 0) return offered[0]
  return bestOf(offered, (offer) => {
    const mediaType = tryParseMediaType(offer)
    checkArgument(mediaType !== undefined, 'an offer', offer, 'a media type')
    return mediaType === undefined ? 0 : qualityIn(ranges, mediaType)
  })
}

function qualityIn(ranges: readonly WeightedRange[], mediaType: MediaType): number {
  let quality = 0
  let closest = -1
  for (const { range, quality: own } of ranges) {
    if (!matchesMediaRange(mediaType, range)) continue
    const closeness = range.type === '*' ? 0 : range.subtype === '*' ? 1 : 2 + range.parameters.size
    if (closeness <= closest) continue
    closest = closeness
    quality = own
  }
  return quality
}

const IDENTITY = 'identity'
/** Below any weight that can be written: acceptable, but not asked for. */
const UNASKED = 0.0001

/** RFC 9110 §8.4.1: two names that are older than the standard mean the same. */
const OLD_NAMES: ReadonlyMap<string, string> = new Map([
  ['x-gzip', 'gzip'],
  ['x-compress', 'compress'],
])
const codingOf = (name: string): string => OLD_NAMES.get(name) ?? name

/**
 * RFC 9110 §12.5.3: in which of the offered content codings to send, `identity` being no coding at all: offer it unless
 * only coded forms are there. `identity` is acceptable unless it is refused, by name or by `*;q=0`; where it is not named
 * it comes after every coding that is wanted. Without a field, and with a malformed one, anything would be acceptable:
 * `identity` is chosen where it is offered, as a client that can decode says so. An empty field wants `identity` alone.
 *
 * `undefined` when none is acceptable.
 * @throws UsageError `ERR_ARGUMENT` for an offer that is no token.
 */
export function chooseEncoding(acceptEncoding: string | undefined, offered: readonly string[]): string | undefined {
  for (const offer of offered) checkArgument(isToken(offer), 'an offer', offer, 'a content coding')
  const wanted = acceptEncoding === undefined ? undefined : tryParseWeighted(acceptEncoding)
  if (wanted === undefined) return offered.find((offer) => offer.toLowerCase() === IDENTITY) ?? offered[0]
  const qualities = new Map<string, number>()
  for (const { value, quality } of wanted) if (!qualities.has(codingOf(value))) qualities.set(codingOf(value), quality)
  const others = qualities.get('*')
  return bestOf(offered, (offer) => {
    const coding = codingOf(offer.toLowerCase())
    return qualities.get(coding) ?? others ?? (coding === IDENTITY ? UNASKED : 0)
  })
}
