import { LATER, type HandlerAdapter } from '../server/handlers.js'
import { HTTP_OPTIONS, type HttpSettings } from './options.js'
import { toHttpFunction } from './handlers.js'
import { readOptions } from '../base/options.js'
import { serveConnection, type HttpService } from './serve-connection.js'
import { Timeouts } from '../base/timeouts.js'

/** HTTP over the connections of a server: what stands between its runner and the handler, in whichever thread that is. */
export const adapter: HandlerAdapter = {
  module: import.meta.url,
  settings: undefined,
  adapt(source, plain) {
    const handler = toHttpFunction(source)
    const settings: HttpSettings = readOptions(
      'http',
      HTTP_OPTIONS,
      typeof plain === 'object' && plain !== null ? plain : undefined,
    )
    const { headerTimeoutMs, keepAliveTimeoutMs, bodyTimeoutMs, writeTimeoutMs } = settings
    const shortestMs = Math.min(headerTimeoutMs, keepAliveTimeoutMs, bodyTimeoutMs, writeTimeoutMs)
    let service: HttpService | undefined
    return (connection, server, report, end) => {
      service ??= { handler, settings, timeouts: new Timeouts(connection.clock, shortestMs), server, report }
      serveConnection(connection, service, end)
      return LATER
    }
  },
}
