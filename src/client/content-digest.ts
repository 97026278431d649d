import { UsageError } from '../base/errors.js'

/** What a content is to come to. */
export interface WantedDigest {
  /** As `node:crypto` names it. */
  readonly algorithm: 'sha256' | 'sha512'
  readonly digest: Buffer
}

const ALGORITHMS = { 'sha-256': 'sha256', 'sha-512': 'sha512' } as const
const BYTES = { sha256: 32, sha512: 64 } as const
const isKnown = (name: string): name is keyof typeof ALGORITHMS => name in ALGORITHMS

/** `sha-256=<base64 or hexadecimal>`, or the same with sha-512. @throws UsageError `ERR_ARGUMENT`. */
export function parseDigest(text: string): WantedDigest {
  const [, name = '', value = ''] = /^(sha-?\d+)[=:](.+)$/i.exec(text.trim()) ?? []
  const known = name.toLowerCase().replace(/^sha-?/, 'sha-')
  if (isKnown(known)) {
    const algorithm = ALGORITHMS[known]
    const digest =
      /^[0-9a-f]+$/i.test(value) && value.length === BYTES[algorithm] * 2 ? Buffer.from(value, 'hex') : base64(value)
    if (digest?.length === BYTES[algorithm]) return { algorithm, digest }
  }
  throw new UsageError(
    'ERR_ARGUMENT',
    `Cannot use the digest ${JSON.stringify(text.slice(0, 80))}: expected sha-256=… or sha-512=…, in base64 or hexadecimal`,
  )
}

/** The strongest of a `Repr-Digest` (RFC 9530 §3) that is known here; `undefined` where none is. */
export function tryParseReprDigest(value: string): WantedDigest | undefined {
  let found: WantedDigest | undefined
  for (const part of value.split(',')) {
    const [, name = '', text = ''] = /^\s*([a-z][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):\s*(?:;.*)?$/.exec(part) ?? []
    if (!isKnown(name)) continue
    const algorithm = ALGORITHMS[name]
    const digest = base64(text)
    if (digest?.length === BYTES[algorithm] && (found === undefined || algorithm === 'sha512'))
      found = { algorithm, digest }
  }
  return found
}

function base64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined
}
