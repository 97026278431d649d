import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { AnyDatagramServer, type DatagramServer } from '#src/server/datagram-server.js'
import { concurrent, processes, serial, threads, type Model } from '#src/server/models/model.js'
import { datagramModelContract, type DatagramModelFactory } from '#src/testing/datagram-model-contract.js'
import { connectDatagram } from '#src/transport/datagrams.js'
import { tryLoadNative } from '#src/transport/node/native.js'

const handler = new URL('../fixtures/datagrams.js', import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'moorage-datagram-models-'))
const hasAddon = tryLoadNative() !== undefined
let names = 0

const models: readonly { readonly name: string; readonly model: Model; readonly acceptsHere: boolean }[] = [
  { name: 'serial()', model: serial(), acceptsHere: true },
  { name: 'concurrent()', model: concurrent(), acceptsHere: true },
  { name: 'threads()', model: threads({ size: 2 }), acceptsHere: true },
  { name: 'processes()', model: processes({ size: 2 }), acceptsHere: true },
  { name: "threads({ accept: 'shared' })", model: threads({ size: 2, accept: 'shared' }), acceptsHere: false },
  { name: "processes({ accept: 'shared' })", model: processes({ size: 2, accept: 'shared' }), acceptsHere: false },
]

const transports = [
  { name: 'udp', endpoint: () => 'udp://127.0.0.1:0', needsAddon: false },
  { name: 'unixgram', endpoint: () => `unixgram:${join(folder, `${(names += 1)}.sock`)}`, needsAddon: true },
]

for (const { name, model, acceptsHere } of models) {
  for (const transport of transports) {
    if (!acceptsHere && transport.name === 'unixgram') continue
    const skip = hasAddon || (acceptsHere && !transport.needsAddon) ? false : 'the addon is not built'
    const factory: DatagramModelFactory = {
      acceptsHere,
      make: (options, hooks) => {
        class Server extends AnyDatagramServer {
          constructor() {
            super(transport.endpoint(), handler, { ...options, model })
          }
        }
        Object.assign(Server.prototype, hooks)
        return new Server()
      },
      connect: (server) => connectDatagram((server as DatagramServer).endpoint),
    }
    suite(`${name} over ${transport.name}`, { skip }, () => {
      for (const row of datagramModelContract) {
        test(row.name, { timeout: 40_000 }, async (t) => {
          const result = await row.run(factory)
          if (result !== undefined) t.skip(result.skipped)
        })
      }
    })
  }
}

after(() => rmSync(folder, { recursive: true, force: true }))
