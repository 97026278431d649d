export type LogFields = Readonly<Record<string, unknown>>

/** Where the package logs to. A pino or console-like logger fits with a line of adapter each. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

const nothing = (): void => undefined

export const silentLogger: Logger = Object.freeze({ debug: nothing, info: nothing, warn: nothing, error: nothing })
