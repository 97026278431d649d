import { TcpServer } from 'moorage'

class OneByOne extends TcpServer {
  override handleTimeout() {
    console.log('nobody came')
  }
}

let count = 0
await using server = new OneByOne(`tcp://127.0.0.1:${process.argv[2] ?? 9999}`, async (connection) => {
  count += 1
  await connection.write(`request ${count}\n`)
})
await server.listen()
console.log(`listening on ${server.endpoint}`)
let handled = true
while (handled) handled = await server.handleRequest({ timeoutMs: 1000 })
