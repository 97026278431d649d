import { chooseEncoding } from '../engine/http/negotiation.js'

export type Coding = 'br' | 'zstd' | 'gzip'

/** Codings, the best first, and the endings of twins that have them. */
export const ENDINGS: Readonly<Record<Coding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' }
const CODINGS: readonly Coding[] = ['br', 'zstd', 'gzip']

const NONE: readonly Coding[] = []
/** Browsers send one of a handful; what others make up does not fill the memory. */
const MAX_KNOWN = 64
const known = new Map<string, readonly Coding[]>()

/** What an Accept-Encoding field wants rather than no coding, the best of ours first. */
export function wantedCodings(accept: string | undefined): readonly Coding[] {
  if (accept === undefined) return NONE
  let wanted = known.get(accept)
  if (wanted === undefined) {
    wanted = CODINGS.filter((coding) => chooseEncoding(accept, [coding, 'identity']) === coding)
    if (known.size < MAX_KNOWN) known.set(accept, wanted)
  }
  return wanted
}
