import { DatagramHandler, UnixDatagramServer } from 'moorage'

class Shout extends DatagramHandler {
  override async handle() {
    await this.reply(String(this.data).toUpperCase())
  }
}

const server = new UnixDatagramServer(`unixgram:${process.argv[2] ?? '/tmp/shout.dgram'}`, Shout)
await server.listen()
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
