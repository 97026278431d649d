import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { connectionContract, type ConnectionFactory, type ConnectionPair } from '#src/testing/connection-contract.js'
import { connect, type ConnectOptions } from '#src/transport/connect.js'
import { listen } from '#src/transport/listen.js'
import type { ConnectionOptions } from '#src/transport/connection-options.js'
import type { ListenOptions } from '#src/transport/listen-options.js'
import { MemoryNetwork } from '#src/transport/memory/network.js'
import { StreamConnection } from '#src/transport/stream-connection.js'
import { fastReceiveWorks } from '#src/transport/node/fast-receive.js'
import { localhostCertificate } from '../fixtures/certificates.js'

interface Way {
  readonly name: string
  readonly endpoint: string
  readonly listen?: ListenOptions
  readonly connect?: ConnectOptions
  readonly addon?: 'off'
  /** The client comes through a proxy, and the server's end answers as that proxy does before it is the target. */
  readonly proxy?: 'socks5h' | 'http' | 'https'
  readonly upgradable: boolean
}

const folder = mkdtempSync(join(tmpdir(), 'moorage-contract-'))
const { cert, key } = await localhostCertificate()
const overTls = { listen: { tls: { cert, key } }, connect: { tls: { ca: cert } } }
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
    ...overTls,
    upgradable: false,
  },
  { name: 'tcp through SOCKS', endpoint: 'tcp://127.0.0.1:0', proxy: 'socks5h', upgradable: true },
  { name: 'tcp through a proxy over TLS', endpoint: 'tcp://127.0.0.1:0', proxy: 'https', upgradable: true },
  {
    name: 'tls through a proxy over TLS',
    endpoint: 'tls://127.0.0.1:0',
    connect: { tls: { ca: cert, serverName: 'localhost' } },
    proxy: 'https',
    upgradable: false,
  },
  { name: 'memory', endpoint: 'memory:plain', ...memory(new MemoryNetwork()), upgradable: false },
  { name: 'memory with cuts', endpoint: 'memory:cuts', ...memory(tiny), upgradable: false },
  { name: 'memory with cuts and jitter', endpoint: 'memory:rough', ...memory(rough), upgradable: false },
]

/** Both ends of a tunnel without a relay between them, which would hold bytes of its own. */
async function tunnelPair(way: Way, proxy: string, options: ConnectionOptions | undefined): Promise<ConnectionPair> {
  const listener = await listen('tcp://127.0.0.1:0', options)
  try {
    const url = listener.endpoint.replace('tcp', proxy)
    const connecting = connect(way.endpoint.replace(/0$/, '1'), {
      ...way.connect,
      ...options,
      proxy: { url, ...(proxy === 'https' ? { tls: { ca: cert } } : {}) },
    })
    const server = await listener.accept()
    if (!(server instanceof StreamConnection)) throw new Error('the listener was closed')
    const tls = { role: 'server', cert, key } as const
    if (proxy === 'https') await server.startTls({ ...tls, beneath: true })
    if (proxy === 'socks5h') {
      await server.readExactly(3)
      await server.write(Uint8Array.of(5, 0))
      await server.readExactly(10)
      await server.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    } else {
      await server.readUntil('\r\n\r\n')
      await server.write('HTTP/1.1 200 OK\r\n\r\n')
    }
    server.beginTunnel(new Uint8Array(0))
    if (way.endpoint.startsWith('tls')) await server.startTls(tls)
    return { server, client: await connecting }
  } finally {
    await listener.close()
  }
}

for (const way of ways) {
  suite(`a connection over ${way.name}`, () => {
    let factory: ConnectionFactory | undefined
    before(async () => {
      if (way.addon !== undefined) process.env['MOORAGE_NATIVE'] = way.addon
      if (way.listen === undefined) await fastReceiveWorks(way.endpoint.startsWith('unix') ? 'unix' : 'tcp')
      factory = {
        credentials: way.upgradable ? { cert, key } : undefined,
        async pair(options?: ConnectionOptions) {
          if (way.proxy !== undefined) return tunnelPair(way, way.proxy, options)
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
