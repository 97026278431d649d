// Hooks of Node's module loader (`module.register`), for a Node that does not strip types by itself: TypeScript modules
// go through the package amaro, whose place is given when the hooks are registered.
import { readFile } from 'node:fs/promises'
import type { InitializeHook, LoadHook } from 'node:module'
import { fileURLToPath } from 'node:url'

type Transform = (source: string, options: { readonly mode: 'strip-only' }) => { readonly code: string }

let transform: Transform | undefined

export const initialize: InitializeHook<{ readonly amaro: string }> = async ({ amaro }) => {
  const loaded: { readonly transformSync: Transform } = await import(amaro)
  transform = loaded.transformSync
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const { pathname } = new URL(url)
  if (transform === undefined || !/\.[mc]?ts$/.test(pathname)) return nextLoad(url, context)
  const { code } = transform(await readFile(fileURLToPath(url), 'utf8'), { mode: 'strip-only' })
  return { format: pathname.endsWith('.cts') ? 'commonjs' : 'module', source: code, shortCircuit: true }
}
