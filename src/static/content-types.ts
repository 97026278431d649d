import { lookup } from 'mrmime'

/** Types that are text in all but their name. */
const TEXTUAL = /^(?:text\/|application\/(?:javascript|json|xml|[\w.+-]+\+(?:json|xml))$|image\/svg\+xml$)/

/**
 * What a client is told that a file is, by the end of its name; bytes when nothing says more. Text is said to be UTF-8:
 * nobody looks into the file, where half of a look would be wrong.
 */
export function contentTypeOf(name: string): string {
  const type = lookup(name)
  if (type === undefined) return 'application/octet-stream'
  return TEXTUAL.test(type) && type !== 'application/json' ? `${type}; charset=utf-8` : type
}

/** Not text, and not compressed by themselves. */
const LOOSE =
  /^(?:application\/(?:wasm|vnd\.ms-fontobject)|font\/(?:ttf|otf|collection)|image\/(?:bmp|x-icon|vnd\.microsoft\.icon))$/

/** Whether a file of this type becomes smaller when it is compressed, nearly always. */
export const isCompressible = (type: string): boolean => TEXTUAL.test(type.split(';', 1)[0] ?? '') || LOOSE.test(type)
