import { StreamHandler, TcpServer } from 'moorage'

class Say extends StreamHandler {
  override async handle() {
    const word = await this.readLine({ keepEnd: false })
    if (word === 'fail') throw new RangeError('asked to fail')
    await this.write(`you said ${word}\n`)
  }
}

class Picky extends TcpServer {
  #seen = 0

  override verifyRequest() {
    this.#seen += 1
    return this.#seen !== 2
  }

  override handleError(error: unknown) {
    console.log(`error: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const server = new Picky(`tcp://127.0.0.1:${process.argv[2] ?? 9999}`, Say)
await server.listen()
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
