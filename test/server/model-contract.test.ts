import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { concurrent, processes, serial, threads, type Model } from '#src/server/models/model.js'
import type { StreamServer } from '#src/server/stream-server.js'
import { AnyStreamServer } from '#src/server/stream-servers.js'
import { modelContract, type ModelFactory, type ModelServerOptions } from '#src/testing/model-contract.js'
import { connect, type ConnectOptions } from '#src/transport/connect.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const handler = new URL('../fixtures/conversation.js', import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'moorage-models-'))
const { cert, key } = await localhostCertificate()
let names = 0

const models: readonly {
  readonly name: string
  readonly model: Model
  readonly acceptsHere: boolean
  readonly bridged?: true
}[] = [
  { name: 'serial()', model: serial(), acceptsHere: true },
  { name: 'concurrent()', model: concurrent(), acceptsHere: true },
  { name: 'threads()', model: threads({ size: 2 }), acceptsHere: true },
  { name: 'threads() over bridges', model: threads({ size: 2 }), acceptsHere: true, bridged: true },
  { name: 'processes()', model: processes({ size: 2 }), acceptsHere: true },
  { name: "threads({ accept: 'shared' })", model: threads({ size: 2, accept: 'shared' }), acceptsHere: false },
  { name: "processes({ accept: 'shared' })", model: processes({ size: 2, accept: 'shared' }), acceptsHere: false },
]

interface Transport {
  readonly name: string
  readonly endpoint: () => string
  readonly options?: ModelServerOptions
  readonly connect?: ConnectOptions
}

const transports: readonly Transport[] = [
  { name: 'tcp', endpoint: () => 'tcp://127.0.0.1:0' },
  { name: 'tls', endpoint: () => 'tls://127.0.0.1:0', options: { tls: { cert, key } }, connect: { tls: { ca: cert } } },
  { name: 'unix', endpoint: () => `unix:${join(folder, `${(names += 1)}.sock`)}` },
]

for (const { name, model, acceptsHere, bridged } of models) {
  for (const transport of transports) {
    const factory: ModelFactory = {
      acceptsHere,
      make: (options, hooks) => {
        class Server extends AnyStreamServer {
          constructor() {
            super(transport.endpoint(), handler, { ...transport.options, ...options, model })
          }
        }
        Object.assign(Server.prototype, hooks)
        return new Server()
      },
      connect: (server) => connect((server as StreamServer).endpoint, transport.connect),
    }
    suite(`${name} over ${transport.name}`, () => {
      before(() => {
        if (bridged === true) process.env['MOORAGE_MOVE_SOCKETS'] = 'off'
      })
      after(() => void delete process.env['MOORAGE_MOVE_SOCKETS'])
      for (const row of modelContract) {
        test(row.name, { timeout: 40_000 }, async (t) => {
          const result = await row.run(factory)
          if (result !== undefined) t.skip(result.skipped)
        })
      }
    })
  }
}

after(() => rmSync(folder, { recursive: true, force: true }))
