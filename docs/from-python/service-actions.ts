import { TcpServer } from 'moorage'

class Serviced extends TcpServer {
  #turns = 0

  override serviceActions() {
    this.#turns += 1
    if (this.#turns === 3) console.log('three turns')
  }
}

const server = new Serviced(
  `tcp://127.0.0.1:${process.argv[2] ?? 9999}`,
  async (connection) => {
    await connection.write('served\n')
  },
  { serviceIntervalMs: 50 },
)
await server.listen()
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
