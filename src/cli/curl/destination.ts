import { existsSync, mkdirSync, statSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errorCodeOf, messageOf } from '../../base/index.js'
import type { ClientResponse } from '../../client/index.js'
import type { CurlLine, GivenFlag } from './curl-line.js'
import type { CurlUrl } from './curl-url.js'
import { CurlFailure } from './exit-codes.js'

/** Where a body goes. */
export interface Destination {
  /** `undefined` for stdout. */
  readonly path: string | undefined
  write(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** The file that a URL belongs to, before anything came; `undefined` for stdout. */
export function plannedPath(line: CurlLine, given: GivenFlag | undefined, url: CurlUrl): string | undefined {
  const isNamed = given?.name === 'remote-name' || (given === undefined && line.has('remote-name-all'))
  if (!isNamed) return given === undefined || given.value === '-' ? undefined : inFolder(line, given.value)
  const name = fileName(url.name)
  if (name === '') throw new CurlFailure('write', `Cannot use -O: the URL ends with no name; give one with -o`)
  return inFolder(line, name)
}

const inFolder = (line: CurlLine, name: string): string => {
  const folder = line.text('output-dir')
  return folder === undefined ? name : join(folder, name)
}

/** What is no name of its own folder is made one. */
const fileName = (text: string): string => {
  const name = basename(text.replaceAll('\\', '/')).replaceAll('\0', '')
  return name === '.' || name === '..' ? '' : name
}

/** RFC 6266 §4.3: what the server calls it, where --remote-header-name believes it. */
export function nameOfServer(response: ClientResponse): string | undefined {
  const value = response.headers.get('content-disposition') ?? ''
  const [, quoted, bare] = /(?:^|;)\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(value) ?? []
  const name = fileName((quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '').trim())
  return name === '' ? undefined : name
}

/** @throws CurlFailure 23. */
export async function openDestination(line: CurlLine, path: string | undefined, from: number): Promise<Destination> {
  if (path === undefined) return { path, write: toStdout, close: () => Promise.resolve() }
  try {
    if (line.has('create-dirs')) mkdirSync(dirname(path), { recursive: true })
    const name = line.has('no-clobber') && from === 0 ? freeName(path) : path
    const file = await open(name, from > 0 ? 'a' : 'w')
    return { path: name, write: (bytes) => toFile(file, name, bytes), close: () => file.close() }
  } catch (cause) {
    throw new CurlFailure('write', `Cannot write ${JSON.stringify(path)}: ${messageOf(cause)}`, cause)
  }
}

function freeName(path: string): string {
  if (!existsSync(path)) return path
  for (let n = 1; n <= 100; n += 1) if (!existsSync(`${path}.${n}`)) return `${path}.${n}`
  throw new CurlFailure('write', `Cannot write ${JSON.stringify(path)}: it is there, and so are those with numbers`)
}

async function toFile(file: FileHandle, path: string, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten
  } catch (cause) {
    throw new CurlFailure('write', `Cannot write ${JSON.stringify(path)}: ${messageOf(cause)}`, cause)
  }
}

/** Waits until the reader has it. */
export function toStdout(bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => {
      if (!(error instanceof Error)) resolve()
      else reject(new CurlFailure('write', `Cannot write to stdout: ${messageOf(error)}`, error))
    })
  })
}

/** --continue-at: behind so many bytes, or behind those of the file. */
export function offsetOf(line: CurlLine, path: string | undefined): number {
  const given = line.text('continue-at')
  if (given === undefined) return 0
  if (given !== '-') return line.number('continue-at') ?? 0
  if (path === undefined) return 0
  try {
    return statSync(path).size
  } catch (cause) {
    if (errorCodeOf(cause) === 'ENOENT') return 0
    throw new CurlFailure('read', `Cannot read ${JSON.stringify(path)}: ${messageOf(cause)}`, cause)
  }
}
