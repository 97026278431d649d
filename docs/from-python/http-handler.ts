import { HttpError, HttpHandler, HttpServer, text } from 'moorage/http'

class Hello extends HttpHandler {
  override get() {
    if (this.request.path !== '/hello') throw new HttpError(404)
    return text(`Hello, ${this.request.query.get('name') ?? 'world'}!\n`)
  }
}

const server = new HttpServer(`http://127.0.0.1:${process.argv[2] ?? 8000}`, Hello)
await server.listen()
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
