import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { connectionContract, type ConnectionFactory } from '#src/testing/connection-contract.js'
import { connect, type ConnectOptions } from '#src/transport/connect.js'
import { listen } from '#src/transport/listen.js'
import type { ConnectionOptions } from '#src/transport/connection-options.js'
import type { ListenOptions } from '#src/transport/listen-options.js'
import { MemoryNetwork } from '#src/transport/memory/network.js'
import { fastReceiveWorks } from '#src/transport/node/fast-receive.js'
import { localhostCertificate } from '../fixtures/certificates.js'

interface Way {
  readonly name: string
  readonly endpoint: string
  readonly listen?: ListenOptions
  readonly connect?: ConnectOptions
  readonly addon?: 'off'
  readonly upgradable: boolean
}

const folder = mkdtempSync(join(tmpdir(), 'moorage-contract-'))
const { cert, key } = await localhostCertificate()
const slowPath = { fastReceive: false }
const rough = new MemoryNetwork({ seed: 7, maxChunkBytes: 40_000, latencyMs: 0, jitterMs: 1 })
const tiny = new MemoryNetwork({ seed: 11, maxChunkBytes: 3000 })
const memory = (network: MemoryNetwork): Pick<Way, 'listen' | 'connect'> => ({
  listen: { network },
  connect: { network },
})

const ways: readonly Way[] = [
  { name: 'tcp', endpoint: 'tcp://127.0.0.1:0', upgradable: true },
  { name: 'tcp fallback', endpoint: 'tcp://127.0.0.1:0', listen: slowPath, connect: slowPath, upgradable: true },
  { name: 'tcp without the addon', endpoint: 'tcp://127.0.0.1:0', addon: 'off', upgradable: true },
  { name: 'tcp over IPv6', endpoint: 'tcp://[::1]:0', upgradable: true },
  { name: 'unix', endpoint: `unix:${join(folder, 'fast.sock')}`, upgradable: true },
  {
    name: 'unix without the addon',
    endpoint: `unix:${join(folder, 'addonless.sock')}`,
    addon: 'off',
    upgradable: true,
  },
  {
    name: 'unix fallback',
    endpoint: `unix:${join(folder, 'slow.sock')}`,
    listen: slowPath,
    connect: slowPath,
    upgradable: true,
  },
  {
    name: 'tls',
    endpoint: 'tls://127.0.0.1:0',
    listen: { tls: { cert, key } },
    connect: { tls: { ca: cert } },
    upgradable: false,
  },
  { name: 'memory', endpoint: 'memory:plain', ...memory(new MemoryNetwork()), upgradable: false },
  { name: 'memory with cuts', endpoint: 'memory:cuts', ...memory(tiny), upgradable: false },
  { name: 'memory with cuts and jitter', endpoint: 'memory:rough', ...memory(rough), upgradable: false },
]

for (const way of ways) {
  suite(`a connection over ${way.name}`, () => {
    let factory: ConnectionFactory | undefined
    before(async () => {
      if (way.addon !== undefined) process.env['MOORAGE_NATIVE'] = way.addon
      if (way.listen === undefined) await fastReceiveWorks(way.endpoint.startsWith('unix') ? 'unix' : 'tcp')
      factory = {
        credentials: way.upgradable ? { cert, key } : undefined,
        async pair(options?: ConnectionOptions) {
          const listener = await listen(way.endpoint, { ...way.listen, ...options })
          try {
            const connecting = connect(listener.endpoint, { ...way.connect, ...options })
            const server = await listener.accept()
            if (server === null) throw new Error('the listener was closed')
            return { server, client: await connecting }
          } finally {
            await listener.close()
          }
        },
      }
    })
    after(() => void delete process.env['MOORAGE_NATIVE'])
    for (const row of connectionContract) {
      test(row.name, { timeout: 15_000 }, async (t) => {
        if (factory === undefined) throw new Error('there is no factory')
        const result = await row.run(factory)
        if (result !== undefined) t.skip(result.skipped)
      })
    }
  })
}

after(() => rmSync(folder, { recursive: true, force: true }))
