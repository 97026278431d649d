import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { listenerContract } from '#src/testing/listener-contract.js'
import { connect, type ConnectOptions } from '#src/transport/connect.js'
import { listen } from '#src/transport/listen.js'
import type { ListenOptions } from '#src/transport/listen-options.js'
import { MemoryNetwork } from '#src/transport/memory/network.js'
import { localhostCertificate } from '../fixtures/certificates.js'

const folder = mkdtempSync(join(tmpdir(), 'moorage-listeners-'))
const { cert, key } = await localhostCertificate()
const network = new MemoryNetwork()
let names = 0
const next = (): number => (names += 1)

interface Way {
  readonly name: string
  readonly endpoint: () => string
  readonly listen?: ListenOptions
  readonly connect?: ConnectOptions
}

const ways: readonly Way[] = [
  { name: 'tcp', endpoint: () => 'tcp://127.0.0.1:0' },
  { name: 'tcp over IPv6', endpoint: () => 'tcp://[::1]:0' },
  { name: 'tcp fallback', endpoint: () => 'tcp://127.0.0.1:0', listen: { fastReceive: false } },
  { name: 'unix', endpoint: () => `unix:${join(folder, `${next()}.sock`)}` },
  ...(process.platform === 'linux'
    ? [{ name: 'unix with an abstract name', endpoint: () => `unix:@moorage-listeners-${process.pid}-${next()}` }]
    : []),
  {
    name: 'tls',
    endpoint: () => 'tls://127.0.0.1:0',
    listen: { tls: { cert, key } },
    connect: { tls: { ca: cert } },
  },
  { name: 'memory', endpoint: () => `memory:listener-${next()}`, listen: { network }, connect: { network } },
]

for (const way of ways) {
  suite(`a listener over ${way.name}`, () => {
    for (const row of listenerContract) {
      test(row.name, { timeout: 15_000 }, async (t) => {
        const result = await row.run({
          listen: (endpoint = way.endpoint()) => listen(endpoint, way.listen),
          connect: (endpoint) => connect(endpoint, way.connect),
        })
        if (result !== undefined) t.skip(result.skipped)
      })
    }
  })
}

after(() => rmSync(folder, { recursive: true, force: true }))
