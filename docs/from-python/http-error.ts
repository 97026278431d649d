import { HttpError, serveHttp, text, type HttpFunction } from 'moorage/http'

const picky: HttpFunction = ({ path }) => {
  if (path === '/tea') throw new HttpError(418, 'I am a teapot')
  if (path === '/broken') throw new RangeError('a secret')
  throw new HttpError(404, 'There is nothing here')
}

/** Without it, what is thrown is a page, problem details or text: what the client accepts. */
const withOwnErrors =
  (handler: HttpFunction): HttpFunction =>
  async (request, server) => {
    try {
      return await handler(request, server)
    } catch (error) {
      const { status, message } = error instanceof HttpError ? error : new HttpError(500, 'That is our fault')
      return text(`${status}: ${message}\n`, { status })
    }
  }

const server = await serveHttp(`http://127.0.0.1:${process.argv[2] ?? 8000}`, withOwnErrors(picky))
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
