import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { MoorageError } from '#src/base/errors.js'
import { ClientConnection } from '#src/engine/http1/client-connection.js'
import { readHttp1ClientOptions, readHttp1Options } from '#src/engine/http1/options.js'
import { ServerConnection } from '#src/engine/http1/server-connection.js'
import {
  acceptOf,
  openingFields,
  readOpened,
  readOpening,
  type ClientOpening,
  type Opened,
  type Opening,
} from '#src/engine/websocket/handshake.js'
import { latin1, toBytes } from '../http1/_requests.js'

export const sha1 = (text: string): string => createHash('sha1').update(text).digest('base64')

/** Of RFC 6455 §1.3. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
export const NONCE: Uint8Array = Buffer.from(KEY, 'base64')

/** `ERR_WEBSOCKET_HANDSHAKE 400`, where something was refused. */
const refusalOf = (error: unknown): string => {
  if (!(error instanceof MoorageError)) throw error
  const { status } = error.details
  return `${error.code}${typeof status === 'number' ? ` ${status}` : ''}`
}

/** What a server makes of a request. */
export class ServerHandshake {
  readonly engine: ServerConnection = new ServerConnection(readHttp1Options(), latin1)
  opening: Opening | undefined

  /** @returns what is refused; '' for nothing. */
  read(bytes: Uint8Array): string {
    try {
      this.engine.receive(bytes)
      for (let event = this.engine.nextEvent(); event.type !== 'need-data'; event = this.engine.nextEvent()) {
        if (event.type === 'message-end') return ''
        assert.equal(event.type, 'request')
        if (event.type !== 'request') continue
        const { method, minorVersion, upgrade, fields: headers } = event
        this.opening = readOpening({ method, version: `1.${minorVersion}`, upgrade, headers })
      }
      return ''
    } catch (error) {
      return refusalOf(error)
    }
  }

  answer(fields: string = ''): string {
    const { key } = this.opening ?? assert.fail('nothing was asked for')
    const accept = `Sec-WebSocket-Accept: ${acceptOf(key, sha1)}\r\n`
    const lines = `Upgrade: websocket\r\nConnection: Upgrade\r\n${accept}${fields}`
    return this.engine.respond({ status: 101, fields: lines, bodyLength: 0 })
  }
}

export class ClientHandshake {
  readonly engine: ClientConnection = new ClientConnection(readHttp1ClientOptions(), latin1)
  readonly #asked: ClientOpening
  opened: Opened | undefined

  constructor(asked: Partial<ClientOpening> = {}) {
    this.#asked = { nonce: NONCE, protocols: [], extensions: '', ...asked }
  }

  ask(): string {
    const fields = [...openingFields(this.#asked)]
    return (
      this.engine.request({ method: 'GET', target: '/', host: 'a', fields, upgrade: 'websocket' }) + this.engine.end()
    )
  }

  /** @returns what is refused; '' for nothing. */
  read(bytes: Uint8Array): string {
    try {
      this.engine.receive(bytes)
      for (let event = this.engine.nextEvent(); event.type !== 'need-data'; event = this.engine.nextEvent()) {
        if (event.type === 'interim') continue
        if (event.type !== 'response' || event.status !== 101) return event.type
        this.opened = readOpened(event.fields, this.#asked, sha1)
        return ''
      }
      return ''
    } catch (error) {
      return refusalOf(error)
    }
  }
}

/** What a server understands of these lines behind the request line. */
export function openingOf(lines: readonly string[], start: string = 'GET / HTTP/1.1'): Opening | string {
  const server = new ServerHandshake()
  const refused = server.read(toBytes([start, 'Host: a', ...lines, '', ''].join('\r\n')))
  return refused === '' ? (server.opening ?? assert.fail('no request was read')) : refused
}

/** What a client understands of these lines behind the status line. */
export function openedOf(
  lines: readonly string[],
  asked?: Partial<ClientOpening>,
  start: string = 'HTTP/1.1 101 Switching Protocols',
): Opened | string {
  const client = new ClientHandshake(asked)
  client.ask()
  const refused = client.read(toBytes([start, ...lines, '', ''].join('\r\n')))
  return refused === '' ? (client.opened ?? assert.fail('no answer was read')) : refused
}
