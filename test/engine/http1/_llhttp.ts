import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { fromLatin1 } from '#src/base/ascii.js'
import { trimSpace } from '#src/engine/http/characters.js'

/** One request as llhttp reads it. */
export interface TheirRequest {
  method: string
  target: string
  version: string
  fields: [name: string, value: string][]
  body: string
  trailers: [name: string, value: string][]
  /** Its head has come, and all of it. */
  hasHead: boolean
  whole: boolean
}

export interface TheirReading {
  readonly requests: readonly TheirRequest[]
  /** The name that llhttp gives to its error; '' when there is none. */
  readonly error: string
}

/** What is used of the WebAssembly module that undici carries: the parser of Node's own `http`. */
interface Llhttp {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly _initialize: () => void
  readonly malloc: (bytes: number) => number
  readonly llhttp_alloc: (type: number) => number
  readonly llhttp_free: (parser: number) => void
  readonly llhttp_execute: (parser: number, at: number, length: number) => number
  readonly llhttp_get_error_pos: (parser: number) => number
  readonly llhttp_resume_after_upgrade: (parser: number) => void
  readonly llhttp_errno_name: (code: number) => number
  readonly llhttp_get_method: (parser: number) => number
  readonly llhttp_method_name: (method: number) => number
  readonly llhttp_get_http_major: (parser: number) => number
  readonly llhttp_get_http_minor: (parser: number) => number
}

/** The types of Node have none, and those of DOM are not for us. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Llhttp }
}

const TYPE_REQUEST = 1
const PAUSED_UPGRADE = 22
const MAX_INPUT_BYTES = 16_384

let requests: TheirRequest[] = []
let inValue = false

const textAt = (at: number, length: number): string => fromLatin1(new Uint8Array(llhttp.memory.buffer, at, length))
function nameAt(at: number): string {
  const bytes = new Uint8Array(llhttp.memory.buffer, at, 64)
  return fromLatin1(bytes.subarray(0, bytes.indexOf(0)))
}

function current(): TheirRequest {
  const last = requests.at(-1)
  assert.ok(last !== undefined)
  return last
}

/** Adds to the name or to the value of the last field, or begins one. */
function addToField(isValue: boolean, text: string): number {
  const { hasHead, fields, trailers } = current()
  const list = hasHead ? trailers : fields
  if (!isValue && (inValue || list.length === 0)) list.push(['', ''])
  inValue = isValue
  const field = list.at(-1)
  if (field !== undefined) field[isValue ? 1 : 0] += text
  return 0
}

const CALLBACKS = {
  wasm_on_message_begin: (): number => {
    requests.push({
      method: '',
      target: '',
      version: '',
      fields: [],
      body: '',
      trailers: [],
      hasHead: false,
      whole: false,
    })
    inValue = false
    return 0
  },
  wasm_on_url: (_: number, at: number, length: number): number => {
    current().target += textAt(at, length)
    return 0
  },
  wasm_on_status: (): number => 0,
  wasm_on_header_field: (_: number, at: number, length: number): number => addToField(false, textAt(at, length)),
  wasm_on_header_value: (_: number, at: number, length: number): number => addToField(true, textAt(at, length)),
  wasm_on_headers_complete: (parser: number): number => {
    const last = current()
    last.method = nameAt(llhttp.llhttp_method_name(llhttp.llhttp_get_method(parser)))
    last.version = `${llhttp.llhttp_get_http_major(parser)}.${llhttp.llhttp_get_http_minor(parser)}`
    last.hasHead = true
    inValue = false
    return 0
  },
  wasm_on_body: (_: number, at: number, length: number): number => {
    current().body += textAt(at, length)
    return 0
  },
  wasm_on_message_complete: (): number => {
    current().whole = true
    return 0
  },
}

const require = createRequire(import.meta.url)
const llhttp = load()
const input = llhttp.malloc(MAX_INPUT_BYTES)

function load(): Llhttp {
  const code: Uint8Array = require('undici/lib/llhttp/llhttp-wasm.js')
  const { exports: module } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: CALLBACKS })
  module._initialize()
  return module
}

/** Trailing white space is cut off where Node does it: behind the parser. */
const trimmed = (fields: [string, string][]): [string, string][] =>
  fields.map(([name, value]) => [name, trimSpace(value)])

/** Reads requests one after the other, as strictly as llhttp does by itself. An upgrade is never taken up. */
export function readByLlhttp(bytes: Uint8Array): TheirReading {
  assert.ok(bytes.length <= MAX_INPUT_BYTES)
  requests = []
  new Uint8Array(llhttp.memory.buffer).set(bytes, input)
  const parser = llhttp.llhttp_alloc(TYPE_REQUEST)
  let at = input
  const end = input + bytes.length
  let code = 0
  while (at < end) {
    code = llhttp.llhttp_execute(parser, at, end - at)
    if (code !== PAUSED_UPGRADE) break
    at = llhttp.llhttp_get_error_pos(parser)
    llhttp.llhttp_resume_after_upgrade(parser)
    code = 0
  }
  const error = code === 0 ? '' : nameAt(llhttp.llhttp_errno_name(code))
  llhttp.llhttp_free(parser)
  for (const request of requests) {
    request.fields = trimmed(request.fields)
    request.trailers = trimmed(request.trailers)
  }
  return { requests, error }
}
