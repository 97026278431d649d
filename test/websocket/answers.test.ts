// A message that came with what ends the WebSocket is answered before the end, where its handler answers at once.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { CLOSE, RSV1, TEXT } from '#src/engine/websocket/frame-header.js'
import { serveHttp } from '#src/http/server.js'
import { within } from '#src/testing/contract-row.js'
import { WebSocketHandler, type WebSocketSource } from '#src/websocket/handlers.js'
import type { Message } from '#src/websocket/outgoing.js'
import { websocket } from '#src/websocket/server.js'
import { RawClient, whole } from './_raw.js'

class Echo extends WebSocketHandler {
  override async message(message: Message): Promise<void> {
    await this.peer.send(message)
  }
}
const HANDLERS: Readonly<Record<string, WebSocketSource>> = {
  'that iterates': async (peer) => {
    for await (const message of peer) await peer.send(message)
  },
  'that is called': Echo,
}
const ENDS: readonly (readonly [name: string, frame: Uint8Array, code: number])[] = [
  ['a reserved opcode', whole(0x3), 1002],
  ['a reserved bit', whole(RSV1 | TEXT, 'b'), 1002],
  ['a text that is not UTF-8', whole(TEXT, Uint8Array.of(0xff)), 1007],
  ['a message over the limit', whole(TEXT, 'a'.repeat(101)), 1009],
  ['a close', whole(CLOSE, Uint8Array.of(3, 233)), 1001],
]

for (const [handler, source] of Object.entries(HANDLERS))
  suite(`a handler ${handler} answers a message before`, () => {
    for (const [name, frame, code] of ENDS)
      test(name, { timeout: 60_000 }, async () => {
        await using server = await serveHttp('http://127.0.0.1:0', websocket(source, { maxMessageBytes: 100 }))
        const client = await RawClient.open(server.endpoint, '/')
        await client.send(whole(TEXT, 'one'), whole(TEXT, 'two'), frame)
        for (const expected of ['one', 'two']) {
          const answer = await within('an answer', client.frame())
          assert.deepEqual([(answer?.first ?? 0) & 15, answer?.payload.toString()], [TEXT, expected])
        }
        assert.equal(await client.closeCode(), code)
        client.connection.destroy()
      })
  })
