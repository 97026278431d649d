import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { bindDatagram } from '#src/transport/datagrams.js'
import { tryLoadNative } from '#src/transport/node/native.js'

const skip = tryLoadNative() === undefined ? 'the addon is not built' : false
const openDescriptors = (): number => readdirSync('/proc/self/fd').length
const script = new URL('./datagram-worker.js', import.meta.url)

async function startBusyWorker(): Promise<Worker> {
  const worker = new Worker(script)
  await once(worker, 'message')
  return worker
}

test(
  'sockets of the addon in a worker that is terminated in the middle of its traffic leave no descriptor',
  { skip },
  async () => {
    await (await startBusyWorker()).terminate()
    const before = openDescriptors()
    for (let round = 0; round < 8; round += 1) {
      const workers = await Promise.all([startBusyWorker(), startBusyWorker()])
      await Promise.all(workers.map((worker) => worker.terminate()))
    }
    assert.equal(openDescriptors(), before)
  },
)

test(
  'sockets of the addon that are opened and closed leave no descriptor, closed and destroyed alike',
  { skip },
  async () => {
    await (await bindDatagram('udp://127.0.0.1:0')).close()
    const before = openDescriptors()
    for (let round = 0; round < 200; round += 1) {
      const socket = await bindDatagram('udp://127.0.0.1:0', { native: round % 2 === 0 ? 'always' : 'never' })
      if (round % 3 === 0) socket.destroy()
      else await socket.close()
      await assert.rejects(bindDatagram('udp://203.0.113.7:0'))
    }
    assert.equal(openDescriptors(), before)
  },
)

test('a process with open sockets of the addon can exit', { skip }, async () => {
  const { spawnSync } = await import('node:child_process')
  const module = new URL('../../../../dist/transport/datagrams.js', import.meta.url).href
  const program = `import { bindDatagram } from ${JSON.stringify(module)}
    const socket = await bindDatagram('udp://127.0.0.1:0', { native: 'always' })
    socket.sinkTo(() => process.exit(7))
    await socket.send('x', socket.local)`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.equal(status, 7, stderr)
})
