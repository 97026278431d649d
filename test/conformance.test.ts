// The client for the Autobahn test suite against a server that asks like the suite; the suite itself is not at hand here.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveHttp } from '#src/http/server.js'
import { websocket } from '#src/websocket/server.js'
import { connectAll } from '../conformance/connect.js'

test('connectAll asks how many cases there are, echoes in each, and has the reports written', async () => {
  const asked: string[] = []
  const echoes: unknown[] = []
  const suite = websocket(
    async (peer, { target }) => {
      asked.push(target)
      if (target.startsWith('/getCaseCount')) await peer.send('2')
      if (!target.startsWith('/runCase')) return
      await peer.send('ahoy')
      echoes.push(await peer.receive())
      await peer.send(new Uint8Array(100_000))
      echoes.push((await peer.receive())?.length)
    },
    { compression: {} },
  )
  await using server = await serveHttp('http://127.0.0.1:0', suite)
  await connectAll(server.endpoint.replace('http:', 'ws:'))
  assert.deepEqual(asked, [
    '/getCaseCount',
    '/runCase?case=1&agent=moorage',
    '/runCase?case=2&agent=moorage',
    '/updateReports?agent=moorage',
  ])
  assert.deepEqual(echoes, ['ahoy', 100_000, 'ahoy', 100_000])
})
