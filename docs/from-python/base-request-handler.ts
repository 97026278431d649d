import { serial, StreamHandler, TcpServer } from 'moorage'

class Shout extends StreamHandler {
  override async handle() {
    for await (const data of this.connection) await this.write(String(data).toUpperCase())
  }
}

// TCPServer without a mix-in has one connection at a time; leave serial() out to have many at once.
const server = new TcpServer(`tcp://127.0.0.1:${process.argv[2] ?? 9999}`, Shout, { model: serial() })
await server.listen()
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
