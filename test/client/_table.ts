import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { MoorageError } from '#src/base/errors.js'
import type { ClientResponse } from '#src/client/response.js'
import type { Session } from '#src/client/session.js'
import type { RequestOptions, SessionOptions } from '#src/client/session-options.js'
import type { HttpFunction, HttpHandlerObject } from '#src/http/index.js'
import { until } from '#src/testing/contract-row.js'
import { RawServer, type Asked, type Bytes, type Place, type Reply } from './_raw-server.js'
import { serving, session as makeSession } from './_servers.js'

/** A class of errors, and its code. */
export type Failure = readonly [new (...args: never[]) => Error, string]

/** A request, and what must come of it. */
export interface Step {
  readonly method?: string
  /** Behind the origin; one that begins with "http" is a whole URL. */
  readonly path?: string
  readonly options?: RequestOptions | (() => RequestOptions)
  readonly status?: number
  readonly text?: string
  readonly fields?: Readonly<Record<string, string | undefined>>
  /** What the request is rejected with. */
  readonly error?: Failure
  /** What the body is rejected with. */
  readonly bodyError?: Failure
  /** Path and query where redirects have ended, and how many there were. */
  readonly endsAt?: string
  readonly redirects?: number
  readonly check?: (response: ClientResponse) => void | Promise<void>
}

export interface Trial {
  readonly t: TestContext
  readonly session: Session
  readonly url: string
  readonly asked: readonly Asked[]
  /** Waits until the client has ended a connection. */
  readonly hasEnded: () => Promise<void>
}

export interface Row extends Step {
  readonly name: string
  /** A server of bytes. */
  readonly raw?: (asked: Asked) => Bytes | Reply
  /** It answers with this once the head of a request is there. */
  readonly early?: (asked: Asked) => Bytes | Reply | undefined
  /** Our own server. */
  readonly own?: HttpFunction | HttpHandlerObject
  /** A place of nginx; `path` begins there. */
  readonly nginx?: 'http' | 'h2'
  /** Where the first request goes. */
  readonly at?: Place
  /** A function where it keeps something: a port of one row may be that of another. */
  readonly session?: SessionOptions | (() => SessionOptions)
  /** Requests one behind the other, in place of the one of the row itself. */
  readonly steps?: readonly Step[]
  /** In place of requests. */
  readonly run?: (trial: Trial) => Promise<void>
  /** What the server must have been asked, as `shown` says it. */
  readonly seen?: readonly string[]
  readonly shown?: (asked: Asked) => string
  readonly connections?: number
  /** Not byte by byte. */
  readonly isWhole?: true
  readonly skip?: string | false
}

export type Kind = 'raw sockets' | 'our own server' | 'nginx' | 'nginx, HTTP/2'

export const kindOf = ({ nginx, own }: Row): Kind =>
  nginx === 'h2' ? 'nginx, HTTP/2' : nginx === 'http' ? 'nginx' : own !== undefined ? 'our own server' : 'raw sockets'

export interface Surroundings {
  readonly cert: string
  readonly key: string
  /** The origins of nginx. */
  readonly nginx: Readonly<Record<'http' | 'h2', string>> | undefined
}

/** A response of 200 with a length. */
export const ok = (body: Bytes, ...lines: readonly string[]): Bytes => response('200 OK', body, ...lines)

export function response(status: string, body: Bytes, ...lines: readonly string[]): Bytes {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  const head = [`HTTP/1.1 ${status}`, ...lines, `Content-Length: ${bytes.length}`, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes])
}

export async function checkRow(t: TestContext, row: Row, surroundings: Surroundings): Promise<void> {
  const isRaw = kindOf(row) === 'raw sockets'
  await checkOnce(t, row, surroundings, false)
  if (isRaw && row.isWhole !== true) await checkOnce(t, row, surroundings, true)
}

async function checkOnce(t: TestContext, row: Row, surroundings: Surroundings, isSlow: boolean): Promise<void> {
  const { cert, key, nginx } = surroundings
  const server = new RawServer({ answer: row.raw ?? (() => ''), early: row.early, isSlow })
  let url = nginx === undefined || row.nginx === undefined ? '' : nginx[row.nginx]
  if (row.own !== undefined) url = await serving(t, row.own)
  else if (row.nginx === undefined) {
    await server.listen(t, 'here')
    await server.listen(t, 'elsewhere')
    if (row.at === 'tls') await server.listen(t, 'tls', { cert, key })
    url = server.origins[row.at ?? 'here']
  }
  const hasEnded = (): Promise<void> => until('the client to end a connection', () => server.ended > 0)
  const own = typeof row.session === 'function' ? row.session() : row.session
  const session = makeSession(t, { tls: { ca: cert }, ...own })
  try {
    if (row.run !== undefined) await row.run({ t, session, url, asked: server.asked, hasEnded })
    else for (const step of row.steps ?? [row]) await checkStep(session, url, step)
    const { seen, shown = ({ method, target }) => `${method} ${target}`, connections } = row
    if (seen !== undefined) assert.deepEqual(server.asked.map(shown), seen, 'what the server was asked')
    if (connections !== undefined) assert.equal(server.connections, connections, 'connections')
  } catch (error) {
    if (isSlow && error instanceof Error) error.message = `byte by byte: ${error.message}`
    throw error
  } finally {
    session.destroy()
  }
}

export async function checkStep(session: Session, url: string, step: Step): Promise<void> {
  const { method = 'GET', path = '/', options, error, bodyError, check } = step
  const given = typeof options === 'function' ? options() : options
  const asking = session.request(method, path.startsWith('http') ? path : `${url}${path}`, given)
  if (error !== undefined) {
    await fails(asking, error)
    return
  }
  const answer = await asking
  assert.equal(answer.status, step.status ?? 200)
  if (step.endsAt !== undefined) assert.equal(answer.url.replace(/^https?:\/\/[^/]*/, ''), step.endsAt)
  if (step.redirects !== undefined) assert.equal(answer.history.length, step.redirects)
  for (const [name, value] of Object.entries(step.fields ?? {})) assert.equal(answer.headers.get(name), value, name)
  if (bodyError !== undefined) await fails(answer.text(), bodyError)
  else if (step.text !== undefined) assert.equal(await answer.text(), step.text)
  await check?.(answer)
  if (bodyError === undefined && step.text === undefined && check === undefined) await answer.bytes()
}

async function fails(doing: Promise<unknown>, [kind, code]: Failure): Promise<void> {
  await assert.rejects(doing, (error) => {
    assert.ok(error instanceof kind, `${String(error)} is no ${kind.name}`)
    assert.ok(error instanceof MoorageError)
    assert.equal(error.code, code, error.message)
    return true
  })
}
