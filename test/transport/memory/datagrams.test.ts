import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bindDatagram, connectDatagram } from '#src/transport/datagrams.js'
import { FakeClock } from '#src/transport/memory/fake-clock.js'
import { MemoryNetwork } from '#src/transport/memory/network.js'
import { runDatagramContract } from '../node/datagram-contract-runner.js'

let made = 0
runDatagramContract('memory', {
  bind: (options) => bindDatagram(`memory:datagrams-${(made += 1)}`, options),
  connect: (to, options) => connectDatagram(`memory:${to.kind === 'memory' ? to.name : ''}`, options),
})

/** What arrives of so many numbered datagrams, in its order. */
async function arrivals(seed: number, count: number): Promise<number[]> {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ seed, lossRate: 0.2, reorderRate: 0.2, latencyMs: 10, jitterMs: 5 }, clock)
  const server = await bindDatagram('memory:meter', { network })
  const client = await connectDatagram('memory:meter', { network })
  const heard: number[] = []
  server.sinkTo((data) => void heard.push(data[0] ?? -1))
  for (let i = 0; i < count; i += 1) void client.send(Uint8Array.of(i))
  await clock.advance(1000)
  await Promise.all([server.close(), client.close()])
  return heard
}

test('MemoryNetwork loses and reorders datagrams, the same ones for the same seed', async () => {
  const first = await arrivals(7, 200)
  assert.deepEqual(await arrivals(7, 200), first)
  assert.notDeepEqual(await arrivals(8, 200), first)
  assert.ok(first.length > 120 && first.length < 190, `${first.length} of 200 arrived at a loss of a fifth`)
  assert.equal(new Set(first).size, first.length)
  assert.notDeepEqual(
    first,
    first.toSorted((left, right) => left - right),
  )
})
