import { serveHttp, type HttpServer } from '#src/http/server.js'
import type { HttpHandlerSource } from '#src/http/handlers.js'
import { readAll } from '#src/testing/connection-pair.js'
import { within } from '#src/testing/contract-row.js'
import { connect } from '#src/transport/connect.js'

/** Sends a target as it is, which fetch would tidy; returns the whole answer, a character for each byte. */
export async function ask(
  server: HttpServer,
  target: string,
  fields: string = '',
  method: string = 'GET',
): Promise<string> {
  const connection = await connect(server.endpoint.replace('http:', 'tcp:'))
  try {
    await connection.write(
      Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n`, 'latin1'),
    )
    return Buffer.from(await within(`the answer to ${target.slice(0, 100)}`, readAll(connection))).toString('latin1')
  } finally {
    await connection.close()
  }
}

export const statusOf = (answer: string): number => Number(answer.slice(9, 12))
export const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4)
export const fieldOf = (answer: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)\r$`, 'im').exec(answer.slice(0, answer.indexOf('\r\n\r\n') + 2))?.[1]

/** Runs with a server that ends afterwards. */
export async function serving(handler: HttpHandlerSource, body: (server: HttpServer) => Promise<void>): Promise<void> {
  const server = await serveHttp('http://127.0.0.1:0', handler)
  try {
    await body(server)
  } finally {
    await server.close({ graceMs: 100 })
  }
}
