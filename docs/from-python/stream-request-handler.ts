import { serve, StreamHandler } from 'moorage'

class Shout extends StreamHandler {
  #count = 0

  override async handle() {
    for await (const line of this.lines()) {
      this.#count += 1
      await this.write(line.toUpperCase())
    }
  }

  override async finish() {
    await this.write(`${this.#count} lines\n`)
  }
}

const server = await serve(`tcp://127.0.0.1:${process.argv[2] ?? 9999}`, Shout)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
