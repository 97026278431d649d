import { DatagramHandler, UdpServer } from 'moorage'

class Shout extends DatagramHandler {
  override async handle() {
    await this.reply(String(this.data).toUpperCase())
  }
}

const server = new UdpServer(`udp://127.0.0.1:${process.argv[2] ?? 9999}`, Shout)
await server.listen()
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
