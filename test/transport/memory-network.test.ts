import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorCodeOf } from '#src/base/errors.js'
import { serve } from '#src/server/serve.js'
import { connect } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'
import { FakeClock } from '#src/transport/memory/fake-clock.js'
import { MemoryNetwork } from '#src/transport/memory/network.js'
import type { NetworkOptions } from '#src/transport/memory/network-options.js'

const MINUTE_MS = 60_000
const echo = async (connection: Connection): Promise<void> => {
  for await (const bytes of connection) await connection.write(bytes)
}

test('an hour of keep-alive and idle timeouts passes in a moment', { timeout: 10_000 }, async () => {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ latencyMs: 20 }, clock)
  const server = await serve('memory:hour', echo, { network, idleTimeoutMs: 5 * MINUTE_MS })
  const lively = await connect('memory:hour', { network })
  const idle = await connect('memory:hour', { network })
  const began = performance.now()
  let echoes = 0
  const reading = (async () => {
    for await (const bytes of lively) echoes += bytes.length / 'still here'.length
  })()
  for (let minute = 0; minute < 60; minute += 1) {
    void lively.write('still here')
    await clock.advance(MINUTE_MS)
  }
  assert.equal(echoes, 60)
  assert.equal(server.metrics.active, 1, 'the idle one was ended by the server')
  await clock.advance(5 * MINUTE_MS + 1000)
  assert.equal(server.metrics.active, 0)
  assert.equal(server.metrics.failed, 2)
  assert.ok(performance.now() - began < 1000, 'an hour and five minutes took less than a second')
  lively.destroy()
  idle.destroy()
  await reading
  const closing = server.close()
  await clock.advance(20_000)
  await closing
  assert.equal(clock.pending, 0, 'no timer is left')
})

/** What one client hears on a network of faults, and when. */
async function story(options: NetworkOptions): Promise<string[]> {
  const clock = new FakeClock()
  const network = new MemoryNetwork(options, clock)
  const server = await serve('memory:story', echo, { network })
  const heard: string[] = []
  const tell = async (name: string): Promise<void> => {
    const client = await connect('memory:story', { network })
    for (let i = 0; i < 10; i += 1) void client.write(`${name} says ${i}; `)
    await client.closeWrite()
    try {
      for await (const bytes of client) heard.push(`${clock.now().toFixed(3)} ${name} ${Buffer.from(bytes).toString()}`)
      heard.push(`${clock.now().toFixed(3)} ${name} end`)
    } catch (error) {
      heard.push(`${clock.now().toFixed(3)} ${name} ${errorCodeOf(error)}`)
    }
    client.destroy()
  }
  const telling = Promise.all(['one', 'two', 'three'].map(tell))
  await clock.advance(120_000)
  await telling
  const closing = server.close()
  await clock.advance(20_000)
  await closing
  return heard
}

test('a network of faults is the same for the same seed, and another for another', { timeout: 20_000 }, async () => {
  const faults = { latencyMs: 5, jitterMs: 30, maxChunkBytes: 12, stallRate: 0.1, stallMs: 500, resetRate: 0.03 }
  const stories = new Set<string>()
  let resets = 0
  for (let seed = 1; seed <= 20; seed += 1) {
    const first = await story({ ...faults, seed })
    assert.deepEqual(await story({ ...faults, seed }), first, `seed ${seed}`)
    stories.add(first.join('\n'))
    if (first.some((line) => line.includes('ERR_PEER_RESET'))) resets += 1
  }
  assert.equal(stories.size, 20)
  assert.ok(resets > 0 && resets < 20, `${resets} of 20 seeds had a reset`)
})
