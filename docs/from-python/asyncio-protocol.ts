import { Protocol, protocolHandler, serve, type ProtocolTransport } from 'moorage'

const CHUNK = Buffer.from('0123456789abcdef'.repeat(1024))
const CHUNKS = 256

class Flood extends Protocol {
  #transport: ProtocolTransport | undefined
  #left = 0
  #paused = false

  override connectionMade(transport: ProtocolTransport) {
    this.#transport = transport
    transport.write('hello\n')
  }

  override dataReceived(data: Uint8Array) {
    this.#left += CHUNKS * data.filter((byte) => byte === 0x21).length
    this.#goOn()
  }

  #goOn() {
    while (this.#left > 0 && !this.#paused) {
      this.#left -= 1
      this.#transport?.write(CHUNK)
    }
  }

  override pauseWriting() {
    this.#paused = true
  }

  override resumeWriting() {
    this.#paused = false
    this.#goOn()
  }

  override eofReceived() {
    this.#transport?.write('bye\n')
    this.#transport?.close()
    return true
  }

  override connectionLost(error: Error | undefined) {
    console.log(`lost: ${error?.message ?? 'None'}`)
  }
}

const server = await serve(
  `tcp://127.0.0.1:${process.argv[2] ?? 9999}`,
  protocolHandler(() => new Flood()),
)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
