import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { serveHttp } from '#src/http/server.js'
import { within } from '#src/testing/contract-row.js'
import { connectWebSocket } from '#src/websocket/client.js'
import { jsonMessages } from '#src/websocket/json.js'
import { websocket } from '#src/websocket/server.js'

const TIMEOUT = { timeout: 30_000 }
const Move = v.object({ x: v.number(), y: v.number() })

test('jsonMessages gives values of the schema, and what is none closes with 1007 or 1008', TIMEOUT, async () => {
  const failures: unknown[] = []
  const service = websocket(async (peer) => {
    for await (const { x, y } of jsonMessages(peer, Move)) await peer.send(String(x + y))
  })
  await using server = await serveHttp('http://127.0.0.1:0', service, {
    logger: {
      debug() {},
      info() {},
      warn: (_, fields) => failures.push(fields),
      error: (_, fields) => failures.push(fields),
    },
  })
  for (const [wrong, code] of [
    ['{"x":1', 1007],
    [Uint8Array.of(1), 1007],
    ['{"x":1,"y":"2"}', 1008],
  ] as const) {
    const socket = await connectWebSocket(server.endpoint)
    await socket.send('{"x":1,"y":2}')
    assert.equal(await within('the sum', socket.receive()), '3')
    await socket.send(wrong)
    assert.equal((await within('the end', socket.closed)).code, code)
  }
})

test('without a schema values are as they came, on both sides', TIMEOUT, async () => {
  const service = websocket(async (peer) => {
    for (const value of [1, 'two', { three: [3] }, null]) await peer.send(JSON.stringify(value))
  })
  await using server = await serveHttp('http://127.0.0.1:0', service)
  const values: unknown[] = []
  for await (const value of jsonMessages(await connectWebSocket(server.endpoint))) values.push(value)
  assert.deepEqual(values, [1, 'two', { three: [3] }, null])
})
