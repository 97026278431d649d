import { StreamHandler, UnixStreamServer } from 'moorage'

class Shout extends StreamHandler {
  override async handle() {
    for await (const line of this.lines()) await this.write(line.toUpperCase())
  }
}

// A file that is left over is removed when nobody listens there, and this one when the server closes.
const server = new UnixStreamServer(`unix:${process.argv[2] ?? '/tmp/shout.sock'}`, Shout, { mode: 0o600 })
await server.listen()
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
