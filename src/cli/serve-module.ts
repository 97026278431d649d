import {
  formatAccess,
  onlyHosts,
  withAccessLog,
  withBasicAuth,
  withFields,
  type AccessFormat,
  type HttpFunction,
  type HttpRequest,
  type Refusal,
} from '../http/index.js'
import { files, type FilesOptions } from '../static/index.js'
import type { ServerContext } from '../server/index.js'

/** What `moorage serve` tells its handler, in whichever thread or process that is. */
export interface ServeData {
  readonly folder: string
  readonly options: FilesOptions
  /** Added to every answer, in place of its own of those names. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Names that it answers to; none for any. */
  readonly hosts: readonly string[]
  /** Who may use it, with a hash of the password each; nobody is asked without. */
  readonly accounts: Readonly<Record<string, string>> | undefined
  readonly log: AccessFormat | 'off'
  /** What the request of the command itself has in the field of that name; nobody else knows it. It is not logged. */
  readonly ownCheck: string
}

/** The field by which the command tells its own request from those of clients. */
export const OWN_CHECK_FIELD = 'Moorage-Check'

/** The name of the field that marks a line of the access log among what workers log. */
export const ACCESS_MARK = 'access'

const handlers = new WeakMap<object, HttpFunction>()

/** Serves a folder as the data of its server says. */
export const serveFolder: HttpFunction = Object.assign(
  (request: HttpRequest, server: ServerContext) => handlerFor(server)(request, server),
  { refused: (refusal: Refusal, server: ServerContext) => handlerFor(server).refused?.(refusal, server) },
)

function handlerFor(server: ServerContext): HttpFunction {
  const { data } = server
  if (!isServeData(data)) throw new TypeError('this module serves what the command tells it')
  let handler = handlers.get(data)
  if (handler === undefined) {
    handler = makeHandler(data, server)
    handlers.set(data, handler)
  }
  return handler
}

const isServeData = (data: unknown): data is ServeData =>
  typeof data === 'object' && data !== null && 'folder' in data && 'log' in data

function makeHandler(
  { folder, options, fields, hosts, accounts, log, ownCheck }: ServeData,
  { logger }: ServerContext,
): HttpFunction {
  const plain = files(folder, options)
  const all: HttpFunction = (request, server) => plain.handle(request, server)
  const known = accounts === undefined ? all : withBasicAuth(all, accounts)
  const served = fields.length === 0 ? known : withFields(known, fields)
  const guarded = hosts.length === 0 ? served : onlyHosts(served, hosts)
  if (log === 'off') return guarded
  const logged = withAccessLog(guarded, (entry) => logger.info(formatAccess(entry, log), { [ACCESS_MARK]: true }))
  const { refused } = logged
  const chosen: HttpFunction = (request, server) =>
    (request.headers.get(OWN_CHECK_FIELD) === ownCheck ? guarded : logged)(request, server)
  return refused === undefined ? chosen : Object.assign(chosen, { refused })
}
