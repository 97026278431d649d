import { formatAddress, StreamHandler } from 'moorage'
import { toConfig } from './allow-list.js'
import { Control, MAX_REQUEST_BYTES, parseRequest, REQUEST_TIMEOUT_MS } from './control.js'

/**
 * Runs commands of an allow-list for clients with a token or a verified certificate, one a connection. The request is a
 * JSON object on the first line; answers are JSON objects, a line each: `{"stream":"stdout","data":"…base64…"}`, and last
 * `{"exit":0}` or `{"error":"…"}`.
 */
export class RemoteControl extends StreamHandler {
  override async handle(): Promise<void> {
    const left = new AbortController()
    const control = new Control(toConfig(this.server.data), {
      remote: formatAddress(this.remote),
      tls: this.connection.tls,
      left: left.signal,
      send: (answer) => this.write(`${JSON.stringify(answer)}\n`),
    })
    const giveUp = setTimeout(() => this.connection.destroy(), REQUEST_TIMEOUT_MS)
    const line = await this.readLine({ keepEnd: false, maxLineBytes: MAX_REQUEST_BYTES }).finally(() =>
      clearTimeout(giveUp),
    )
    if (line === null) return
    const request = parseRequest(line)
    if (typeof request === 'string') {
      await control.refuse(request)
      return
    }
    void this.#clientLeft().then(() => left.abort())
    if (await control.admit(request.token, request)) await control.run(request)
  }

  /** Nothing more is expected of the client: that it ends, or is gone, is heard by reading only. */
  async #clientLeft(): Promise<void> {
    try {
      while ((await this.read()) !== null) continue
    } catch {
      // It is gone.
    }
  }
}
