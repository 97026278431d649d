import { HttpError } from 'moorage/http'

type JsonObject = Readonly<Record<string, unknown>>

/** Deeper ones than any note are refused before they fill the stack. */
const MAX_DEPTH = 32

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * RFC 7396 §2: members of the patch replace those of the target, null removes one, and objects are merged.
 * @throws HttpError 400.
 */
export function mergePatch(target: unknown, patch: unknown, depth: number = 0): unknown {
  if (!isObject(patch)) return patch
  if (depth === MAX_DEPTH) throw new HttpError(400, `A patch has at most ${MAX_DEPTH} levels`)
  const merged = new Map(isObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), value, depth + 1))
  }
  // Made of entries, so that a member called __proto__ is one like any other.
  return Object.fromEntries(merged)
}
