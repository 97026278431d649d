import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { MoorageError, UsageError } from '#src/base/errors.js'
import { RedirectError, StatusError } from '#src/client/errors.js'
import { diagnose } from '#src/client/diagnosis/diagnose.js'
import type { DiagnoseOptions } from '#src/client/diagnosis/options.js'
import type { DiagnosisStep, StepName } from '#src/client/diagnosis/steps.js'
import type { ClientResponse } from '#src/client/response.js'
import type { RequestOptions, SessionOptions } from '#src/client/session-options.js'
import { connectWebSocket } from '#src/websocket/client.js'
import { session } from './_servers.js'

/** Stands in every password, token and field of credentials: no output may have it, nor the base64 of it. */
export const SECRET = 'hunter2'
const HIDDEN = new RegExp([SECRET, ...[0, 1, 2].map(inBase64)].join('|'))

/** What is sure to be in the base64 of a text with it, by where it begins. */
function inBase64(shift: number): string {
  const text = Buffer.from(' '.repeat(shift) + SECRET).toString('base64')
  return text.replace(/=+$/, '').slice(shift === 0 ? 0 : shift + 1, -2)
}

/** A fault as it stands there, and what is asked of it. */
export interface Scene {
  /** User and password are put in front of the host, unless `isAsIs`. */
  readonly url: string
  readonly isAsIs?: boolean
  readonly options?: Omit<SessionOptions, 'recorder' | 'hsts' | 'cookies'>
  readonly request?: RequestOptions
  readonly method?: string
  /** How the body is read. Default: as text. */
  readonly read?: 'text' | 'json' | 'pieces'
}

/** Several where the system decides in which of two steps it shows. */
type OneOf<T> = T | readonly T[]

export interface Expected {
  /** The class of the error of the library. */
  readonly name: OneOf<string>
  readonly code: OneOf<string>
  readonly phase?: string
  /** The step at which a diagnosis says that it fails. */
  readonly step: OneOf<StepName>
  /** In the suggestion. */
  readonly says: RegExp
  /** In the suggestion of the step, where it knows more than the error. Default: `says`. */
  readonly advises?: RegExp
  /** In the summary of the step. */
  readonly finds?: RegExp
  /** What `moorage why` exits with. */
  readonly exit: OneOf<number>
  /** Addresses are in the error. Default: true. */
  readonly isTried?: boolean
}

export interface Fault extends Expected {
  readonly title: string
  readonly make: (t: TestContext) => Scene | Promise<Scene>
  /** Programs that it is made with. */
  readonly needs?: readonly string[]
  /** Why it cannot show in a diagnosis, or in the command. */
  readonly notByDiagnosis?: string
  readonly notByCommand?: string
}

const withSecrets = ({ url, isAsIs = false }: Scene): string =>
  isAsIs ? url : url.replace(/^(\w+:\/\/)/, `$1me:${SECRET}-of-url@`)

const secretFields = { 'x-token': `${SECRET}-of-field` }

/** The fault, as each of the three tells of it. */
export async function checkFault(t: TestContext, fault: Fault): Promise<void> {
  const scene = await fault.make(t)
  if (/^wss?:/.test(scene.url)) await checkWebSocket(scene, fault)
  else await checkSession(t, scene, fault)
  if (fault.notByDiagnosis === undefined) await checkDiagnosis(scene, fault)
  if (fault.notByDiagnosis === undefined && fault.notByCommand === undefined) await checkCommand(t, scene, fault)
}

async function checkSession(t: TestContext, scene: Scene, fault: Fault): Promise<void> {
  const own = session(t, { headers: secretFields, ...scene.options })
  const error = await errorOf(async () => {
    const response = await own.request(scene.method ?? 'GET', withSecrets(scene), scene.request)
    response.raiseForStatus()
    await read(response, scene.read)
  })
  checkError(error, scene, fault)
}

async function read(response: ClientResponse, how: Scene['read'] = 'text'): Promise<void> {
  if (how === 'json') await response.json()
  else if (how === 'text') await response.text()
  else for await (const _ of response);
}

async function checkWebSocket({ url, options = {} }: Scene, { code }: Fault): Promise<void> {
  const { tls, proxy } = options
  const error = await errorOf(() =>
    connectWebSocket(url.replace('//', `//me:${SECRET}@`), {
      ...(tls === undefined ? {} : { tls }),
      ...(typeof proxy === 'string' ? { proxy } : {}),
    }),
  )
  assert.ok(error instanceof MoorageError)
  isOneOf(error.code, code, error.message)
  noSecretIn('the error of connectWebSocket', inspect(error, { depth: 20, showHidden: true }))
}

async function errorOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

function isOneOf<T>(found: T, expected: OneOf<T>, why: string): void {
  assert.ok([expected].flat().includes(found), `it is ${String(found)}, and not ${String(expected)}: ${why}`)
}

function checkError(error: unknown, { options = {} }: Scene, fault: Expected): void {
  assert.ok(error instanceof MoorageError, inspect(error))
  isOneOf(error.name, fault.name, error.message)
  isOneOf(error.code, fault.code, error.message)
  noSecrets(error)
  if (error instanceof UsageError) return
  // What is made of an answer that is whole has no other error beneath.
  if (!(error instanceof StatusError || error instanceof RedirectError)) assert.ok(error.cause instanceof Error)
  const { url, suggestion, elapsedMs, addresses, proxy, phase, method } = error.details
  assert.ok(typeof url === 'string' && /^(?:https?|http\+unix|wss?):/.test(url) && !url.includes('@'), String(url))
  assert.ok(error.message.includes(url), error.message)
  assert.equal(typeof method, 'string')
  assert.match(String(suggestion), fault.says)
  assert.ok(error.message.includes(String(suggestion)))
  assert.ok(typeof elapsedMs === 'number' && elapsedMs >= 0 && elapsedMs < 60_000)
  assert.ok(Array.isArray(addresses))
  if (fault.isTried !== false) assert.ok(addresses.length > 0, 'no address is told')
  if (fault.phase !== undefined) assert.equal(phase, fault.phase)
  const hasProxy = typeof options.proxy === 'string' || typeof options.proxy === 'object'
  assert.equal(typeof proxy, hasProxy ? 'string' : 'undefined')
}

function noSecrets(error: MoorageError): void {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    noSecretIn('a message', at.message)
    noSecretIn('a stack', at.stack ?? '')
    if (at instanceof MoorageError) noSecretIn('details', JSON.stringify(at.details))
  }
  noSecretIn('an error', inspect(error, { depth: 20, showHidden: true }))
}

function noSecretIn(what: string, text: string): void {
  assert.ok(!HIDDEN.test(text), `${what} has a secret: ${text}`)
}

async function checkDiagnosis(scene: Scene, fault: Fault): Promise<void> {
  const { retries: _retries, baseUrl: _base, ...options } = { retries: 0, baseUrl: '', ...scene.options }
  const given = { proxy: false, headers: secretFields, ...options } as DiagnoseOptions
  const steps: DiagnosisStep[] = []
  for await (const step of diagnose(withSecrets(scene), given)) steps.push(step)
  noSecretIn('a diagnosis', inspect(steps, { depth: 20, showHidden: true }))
  const failed = onlyFailure(steps, fault.step)
  const { error } = failed
  assert.ok(error instanceof MoorageError, inspect(failed))
  checkError(error, scene, { ...fault, isTried: false })
  assert.match(failed.suggestion ?? '', fault.advises ?? fault.says)
  if (fault.finds !== undefined) assert.match(failed.summary, fault.finds)
}

/** It fails at that step, what is before it does not, and what is behind it is not gone. */
function onlyFailure<Step extends Pick<DiagnosisStep, 'name' | 'outcome'>>(
  steps: readonly Step[],
  name: OneOf<StepName>,
): Step {
  const at = steps.findIndex((step) => step.outcome === 'failed')
  const failed = steps[at]
  assert.ok(failed !== undefined, `nothing failed: ${inspect(steps, { depth: 1 })}`)
  isOneOf(failed.name, name, inspect(failed))
  assert.equal(steps.length, 10)
  assert.ok(steps.slice(at + 1).every(({ outcome }) => outcome === 'skipped'))
  return failed
}

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

interface Told {
  readonly name: StepName
  readonly outcome: DiagnosisStep['outcome']
  readonly summary: string
  readonly suggestion?: string
  readonly error?: { readonly name: string; readonly code: string }
}

async function checkCommand(t: TestContext, scene: Scene, fault: Fault): Promise<void> {
  const args = [withSecrets(scene), '--json', ...(await argumentsOf(t, scene))]
  const { code, out, err } = await run(['why', ...args])
  noSecretIn('moorage why', out + err)
  const steps: readonly Told[] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const { error, suggestion = '', summary } = onlyFailure(steps, fault.step)
  isOneOf(error?.name ?? '', fault.name, out)
  isOneOf(error?.code ?? '', fault.code, out)
  assert.match(suggestion, fault.advises ?? fault.says)
  // What a person cannot type is of no use to them.
  assert.doesNotMatch(suggestion, /\b(?:tls\.\w+|\w+Ms|max[A-Z]\w+|decompress)\b/)
  if (fault.finds !== undefined) assert.match(summary, fault.finds)
  isOneOf(Number(code), fault.exit, out + err)
}

export async function run(
  args: readonly string[],
): Promise<{ readonly code: unknown; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    env: { ...process.env, NO_COLOR: '1', HTTP_PROXY: '', HTTPS_PROXY: '', ALL_PROXY: '', NODE_EXTRA_CA_CERTS: '' },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (bytes) => (out += String(bytes)))
  child.stderr.on('data', (bytes) => (err += String(bytes)))
  const [code]: unknown[] = await once(child, 'close')
  return { code, out, err }
}

const TIMES = {
  timeoutMs: '--timeout',
  connectTimeoutMs: '--connect-timeout',
  handshakeTimeoutMs: '--handshake-timeout',
  responseTimeoutMs: '--response-timeout',
  bodyTimeoutMs: '--body-timeout',
} as const

/** The options of the session in the words of the command. */
async function argumentsOf(t: TestContext, { options = {} }: Scene): Promise<readonly string[]> {
  const { proxy, tls = {}, maxBodyBytes, maxRedirects } = options
  const args = ['-H', `x-token: ${secretFields['x-token']}`]
  args.push('-x', typeof proxy === 'string' ? proxy : 'none')
  for (const [name, word] of Object.entries(TIMES)) {
    const ms = options[name as keyof typeof TIMES]
    if (ms !== undefined) args.push(word, `${ms}ms`)
  }
  if (maxBodyBytes !== undefined) args.push('--max-body', String(maxBodyBytes))
  if (maxRedirects !== undefined) args.push('--max-redirects', String(maxRedirects))
  if (typeof tls.ca === 'string') {
    const folder = await mkdtemp(join(tmpdir(), 'faults-'))
    t.after(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'ca.pem'), tls.ca)
    args.push('--ca', join(folder, 'ca.pem'))
  }
  if (tls.serverName !== undefined) args.push('--server-name', tls.serverName)
  return args
}
