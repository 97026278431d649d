import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { localhostCertificate } from '../fixtures/certificates.js'

/** What a request gets where its row says nothing. */
const USUAL = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n'

/** A server that writes down every byte of every request, and answers what it was told to, in turn. */
export class RecordingServer {
  readonly #server: Server
  /** PEM, where it speaks TLS. */
  readonly certificate: string | undefined
  readonly #sockets = new Set<Socket>()
  #answers: readonly string[] = []
  #requests: string[] = []

  private constructor(made: { readonly cert: string; readonly key: string } | undefined) {
    const serve = (socket: Socket): void => this.#serve(socket)
    this.certificate = made?.cert
    this.#server = made === undefined ? createServer(serve) : createTlsServer(made, serve)
    // A client that does not trust it ends the handshake.
    this.#server.on('tlsClientError', () => undefined)
  }

  static async start(isTls: boolean): Promise<RecordingServer> {
    const made = new RecordingServer(isTls ? await localhostCertificate() : undefined)
    made.#server.listen(0, '127.0.0.1')
    await once(made.#server, 'listening')
    return made
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  begin(answers: readonly string[]): void {
    this.#answers = answers.map((answer) => answer.replaceAll('{port}', String(this.port)))
    this.#requests = []
  }

  /** The bytes of all requests, in the order in which they were whole. */
  get recorded(): string {
    return this.#requests.join('')
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    let held = ''
    let isContinued = false
    let isTunnel = false
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      // What was begun and left counts as well.
      if (held !== '' && !isTunnel) this.#requests.push(held)
    })
    socket.on('data', (bytes) => {
      held += bytes.toString('latin1')
      if (isTunnel) return
      for (;;) {
        const headEnd = held.indexOf('\r\n\r\n') + 4
        if (headEnd === 3) return
        const head = held.slice(0, headEnd)
        const end = endOf(held, headEnd)
        const answer = this.#answers[this.#requests.length] ?? USUAL
        if (/^expect:/im.test(head) && !isContinued) {
          isContinued = true
          if (answer.startsWith('HTTP/1.1 4')) {
            // It is not wanted: nothing of it has come.
            this.#requests.push(head)
            held = ''
            isContinued = false
            socket.write(answer)
            return
          }
          socket.write('HTTP/1.1 100 Continue\r\n\r\n')
        }
        if (end === -1) return
        this.#requests.push(held.slice(0, end))
        held = held.slice(end)
        isContinued = false
        isTunnel = head.startsWith('CONNECT ') && answer.startsWith('HTTP/1.1 2')
        if (answer === '') socket.destroy()
        else if (/^connection: close/im.test(answer)) socket.end(answer, 'latin1')
        else socket.write(answer, 'latin1')
        if (isTunnel) socket.end()
      }
    })
  }
}

/** Where a request ends; -1 while it is not whole. */
function endOf(text: string, headEnd: number): number {
  const head = text.slice(0, headEnd)
  const [, length] = /^content-length: *(\d+)\r$/im.exec(head) ?? []
  if (length !== undefined) return text.length >= headEnd + Number(length) ? headEnd + Number(length) : -1
  if (!/^transfer-encoding: *chunked\r$/im.test(head)) return headEnd
  const at = text.indexOf('0\r\n\r\n', headEnd)
  return at === -1 ? -1 : at + 5
}
