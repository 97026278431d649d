import { createRequire, register } from 'node:module'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { errorCodeOf, messageOf, UsageError } from '../base/errors.js'

const TYPESCRIPT_FILE = /\.[mc]?ts$/

/**
 * The default export of a module, or the one that the fragment of its URL names. A TypeScript module is run by the runtime where it strips types, else by the package
 * `amaro`, looked for beside the module.
 * @throws UsageError `ERR_HANDLER_MODULE`, `ERR_TYPESCRIPT_LOADER`.
 */
export async function loadHandler(url: URL): Promise<unknown> {
  const shown = url.protocol === 'file:' ? fileURLToPath(url) : url.href
  if (url.protocol === 'file:' && !existsSync(url)) {
    throw new UsageError('ERR_HANDLER_MODULE', `Cannot load the handler module ${shown}: there is no such file`)
  }
  if (TYPESCRIPT_FILE.test(url.pathname)) prepareTypeScript(url, shown)
  let exports: unknown
  try {
    exports = await import(url.href)
  } catch (cause) {
    if (errorCodeOf(cause) === 'ERR_UNKNOWN_FILE_EXTENSION') throw cannotRunTypeScript(shown, cause)
    throw new UsageError(
      'ERR_HANDLER_MODULE',
      `Cannot load the handler module ${shown}: ${messageOf(cause)}${placeOf(cause, url, shown)}`,
      { cause },
    )
  }
  const handler = url.hash === '' ? defaultOf(exports) : namedOf(exports, url.hash.slice(1))
  if (handler !== undefined) return handler
  throw new UsageError(
    'ERR_HANDLER_MODULE',
    `Cannot use the handler module ${shown}: it has no default export; write "export default async (connection) => { … }" or "export default class extends StreamHandler { … }"`,
  )
}

/** The line of the program that an error came from, where it tells: a syntax error says only that there is one. */
function placeOf(error: unknown, url: URL, shown: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const place = stack.match(/file:\/\/[^\s()]+:\d+/g)?.find((found) => !found.startsWith(import.meta.url))
  if (place !== undefined) return ` (${place.slice('file://'.length)})`
  if (!(error instanceof SyntaxError)) return ''
  const format = isSaidCommonJs(url)
    ? '; its package.json has "type": "commonjs": for import and export say "module", or name it .mjs'
    : ''
  return `; "node --check ${shown}" shows the line${format}`
}

/** Whether the package.json above a module takes it for CommonJS: `npm init` writes that, and few see it. */
function isSaidCommonJs(url: URL): boolean {
  if (url.protocol !== 'file:' || !/\.[jt]s$/.test(url.pathname)) return false
  let at = new URL('package.json', url)
  while (!existsSync(at)) {
    const above = new URL('../package.json', at)
    if (above.href === at.href) return false
    at = above
  }
  const { type }: { readonly type?: unknown } = JSON.parse(readFileSync(at, 'utf8'))
  return type === 'commonjs'
}

/** `handler.js#name` is the export of that name. */
function namedOf(exports: unknown, name: string): unknown {
  return typeof exports === 'object' && exports !== null
    ? Object.entries(exports).find(([key]) => key === name)?.[1]
    : undefined
}

/** A CommonJS module that was compiled from `export default` has its default one level down. */
function defaultOf(exports: unknown): unknown {
  if (typeof exports !== 'object' || exports === null || !('default' in exports)) return undefined
  const found = exports.default
  const isWrapped = typeof found === 'object' && found !== null && '__esModule' in found && 'default' in found
  return isWrapped ? found.default : found
}

let hooksRegistered = false

function prepareTypeScript(url: URL, shown: string): void {
  const { features } = process
  if (hooksRegistered || ('typescript' in features && features.typescript !== false)) return
  try {
    const amaro = pathToFileURL(createRequire(fileURLToPath(url)).resolve('amaro')).href
    register(new URL('./typescript-hooks.js', import.meta.url), { data: { amaro } })
    hooksRegistered = true
  } catch (cause) {
    throw cannotRunTypeScript(shown, cause)
  }
}

function cannotRunTypeScript(shown: string, cause: unknown): UsageError {
  return new UsageError(
    'ERR_TYPESCRIPT_LOADER',
    `Cannot load ${shown}: Node.js ${process.versions.node} does not run TypeScript; use Node.js 22.18 or newer, or install the package "amaro" beside the module`,
    { cause },
  )
}
