import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { within } from '#src/testing/contract-row.js'
import { connect, type ConnectOptions } from '#src/transport/connect.js'
import type { Connection } from '#src/transport/connection.js'
import { listen } from '#src/transport/listen.js'
import type { ListenOptions } from '#src/transport/listen-options.js'
import { parseProxy, type ProxyOptions } from '#src/transport/proxy-server.js'
import { localhostCertificate } from '../../fixtures/certificates.js'
import { TestProxy, type ProxyChoices } from '../../fixtures/proxy.js'

const { cert, key } = await localhostCertificate()
const ada = { user: 'ada', password: 's3cret' }

/** A server that sends back what it gets, on a port of its own. */
async function echo(t: TestContext, endpoint = 'tcp://127.0.0.1:0', options: ListenOptions = {}): Promise<string> {
  const listener = await listen(endpoint, options)
  const open = new Set<Connection>()
  const run = async (): Promise<void> => {
    for (let one = await listener.accept(); one !== null; one = await listener.accept()) {
      const connection = one
      open.add(connection)
      const answer = async (): Promise<void> => {
        for await (const bytes of connection) await connection.write(bytes)
        await connection.close()
      }
      answer().catch(() => connection.destroy())
    }
  }
  const running = run()
  t.after(async () => {
    await listener.close()
    for (const connection of open) connection.destroy()
    await running
  })
  return listener.endpoint
}

/** Something on a port that does with each connection what it is told to. */
async function behaving(t: TestContext, act: (connection: Connection) => Promise<void>): Promise<string> {
  const listener = await listen('tcp://127.0.0.1:0')
  const open = new Set<Connection>()
  const run = async (): Promise<void> => {
    for (let one = await listener.accept(); one !== null; one = await listener.accept()) {
      const connection = one
      open.add(connection)
      act(connection).catch(() => connection.destroy())
    }
  }
  const running = run()
  t.after(async () => {
    await listener.close()
    for (const connection of open) connection.destroy()
    await running
  })
  return `127.0.0.1:${portOf(listener.endpoint)}`
}

const portOf = (endpoint: string): string => /\d+$/.exec(endpoint)?.[0] ?? ''

async function proxyFor(t: TestContext, choices: ProxyChoices = {}): Promise<TestProxy> {
  const proxy = await TestProxy.start(choices)
  t.after(() => proxy[Symbol.asyncDispose]())
  return proxy
}

async function exchange(endpoint: string, options: ConnectOptions): Promise<Connection> {
  const connection = await connect(endpoint, options)
  await connection.write('hello\n')
  assert.equal(await within('the echo', connection.readLine()), 'hello\n')
  return connection
}

interface Failure {
  readonly code?: string
  readonly details?: Readonly<Record<string, unknown>>
}

/** The error of a connection that cannot be made; nothing in it is secret. */
async function failureOf(endpoint: string, options: ConnectOptions): Promise<Failure & Error> {
  const error = await within(
    'a failure',
    connect(endpoint, options).then(
      (connection) => {
        connection.destroy()
        throw new Error('it has connected')
      },
      (reason: unknown) => reason,
    ),
  )
  assert.ok(error instanceof Error)
  assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /s3cret|czNjcmV0|ada/)
  return error
}

suite('connect through a proxy', { timeout: 60_000 }, () => {
  for (const scheme of ['http', 'https', 'socks4', 'socks4a', 'socks5', 'socks5h'] as const) {
    const tls = scheme === 'https' ? { cert, key } : undefined
    const choices = tls === undefined ? {} : { tls }
    const through = (proxy: TestProxy, credentials = ''): ProxyOptions => ({
      url: `${scheme}://${credentials}127.0.0.1:${proxy.port}`,
      ...(tls === undefined ? {} : { tls: { ca: cert } }),
    })

    test(`${scheme}: carries bytes both ways, and resolves the name where it says`, async (t) => {
      const [proxy, target] = [await proxyFor(t, choices), await echo(t)]
      const port = portOf(target)
      const connection = await exchange(`tcp://localhost:${port}`, { proxy: through(proxy) })
      assert.equal(connection.tls, undefined)
      assert.deepEqual(connection.remote, { kind: 'ip', host: '127.0.0.1', port: Number(proxy.port) })
      await connection.close()
      assert.deepEqual(proxy.asked, [
        {
          http: `CONNECT localhost:${port}`,
          https: `CONNECT localhost:${port}`,
          socks4: `4 127.0.0.1:${port}`,
          socks4a: `4 localhost:${port}`,
          socks5: `5 127.0.0.1:${port}`,
          socks5h: `5 localhost:${port}`,
        }[scheme],
      ])
      const { bytesRead, bytesWritten } = await connection.closed
      assert.deepEqual([bytesRead, bytesWritten], [6, 6], 'what the proxy said is not counted')
    })

    test(`${scheme}: what comes together with the last answer belongs to the tunnel`, async (t) => {
      const [proxy, target] = [await proxyFor(t, { ...choices, greeting: 'welcome\nand ' }), await echo(t)]
      const connection = await connect(target, { proxy: through(proxy) })
      assert.equal(await within('the greeting', connection.readLine()), 'welcome\n')
      await connection.write('more\n')
      assert.equal(await within('the echo', connection.readLine()), 'and more\n')
      connection.destroy()
    })

    test(`${scheme}: a tls: endpoint is secured from end to end`, async (t) => {
      const [proxy, target] = [await proxyFor(t, choices), await echo(t, 'tls://127.0.0.1:0', { tls: { cert, key } })]
      const endpoint = `tls://localhost:${portOf(target)}`
      const connection = await exchange(endpoint, { proxy: through(proxy), tls: { ca: cert } })
      assert.equal(connection.tls?.authorized, true)
      assert.equal(connection.tls?.version, 'TLSv1.3')
      await connection.close()
      assert.equal((await failureOf(endpoint, { proxy: through(proxy) })).code, 'ERR_TLS_HANDSHAKE')
      const other = { ca: cert, serverName: 'elsewhere.example' }
      assert.equal((await failureOf(endpoint, { proxy: through(proxy), tls: other })).code, 'ERR_TLS_HANDSHAKE')
    })

    test(`${scheme}: startTls secures an open tunnel`, async (t) => {
      const listener = await listen('tcp://127.0.0.1:0')
      t.after(() => listener.close())
      const proxy = await proxyFor(t, choices)
      const connecting = connect(listener.endpoint, { proxy: through(proxy) })
      const server = await within('the tunnel', listener.accept())
      assert.ok(server !== null)
      const client = await connecting
      await Promise.all([
        server.startTls({ role: 'server', cert, key }),
        client.startTls({ role: 'client', ca: cert, serverName: 'localhost' }),
      ])
      assert.equal(client.tls?.serverName, 'localhost')
      await client.write('secret\n')
      assert.equal(await within('a line', server.readLine()), 'secret\n')
      await assert.rejects(client.startTls({ role: 'client' }), { code: 'ERR_UNSUPPORTED' })
      await Promise.all([client.close(), server.close()])
    })

    test(`${scheme}: a target that refuses is ERR_TUNNEL_REFUSED with the answer of the proxy`, async (t) => {
      const proxy = await proxyFor(t, choices)
      const closed = await listen('tcp://127.0.0.1:0')
      await closed.close()
      const error = await failureOf(closed.endpoint, { proxy: through(proxy) })
      assert.equal(error.code, 'ERR_TUNNEL_REFUSED')
      assert.deepEqual(error.details, {
        ...(scheme.startsWith('http') ? { status: 502 } : { reply: scheme.startsWith('socks4') ? 91 : 5 }),
        proxy: `${scheme}://127.0.0.1:${proxy.port}`,
        target: `127.0.0.1:${portOf(closed.endpoint)}`,
      })
    })

    if (!scheme.startsWith('socks4')) {
      test(`${scheme}: user and password are shown; wrong ones, and none, are ERR_PROXY_AUTH`, async (t) => {
        const [proxy, target] = [await proxyFor(t, { ...choices, credentials: ada }), await echo(t)]
        const connection = await exchange(target, { proxy: through(proxy, 'ada:s3cret@') })
        await connection.close()
        for (const credentials of ['ada:s3cret2@', '']) {
          const error = await failureOf(target, { proxy: through(proxy, credentials) })
          assert.equal(error.code, 'ERR_PROXY_AUTH')
          assert.equal(error.details?.['proxy'], `${scheme}://127.0.0.1:${proxy.port}`)
          if (scheme.startsWith('http')) assert.equal(error.details?.['authenticate'], 'Basic realm="test"')
        }
      })
    }

    test(`${scheme}: a proxy that says nothing is ERR_CONNECT_TIMEOUT, and is left`, async (t) => {
      const left = new Set<string>()
      let seen: Promise<void> = Promise.reject(new Error('nobody came'))
      seen.catch(() => undefined)
      const silent = await behaving(t, (connection) => {
        seen = connection.closed.then(() => void left.add('closed'))
        return (async () => {
          for await (const _ of connection);
          await connection.close()
        })()
      })
      const options = { proxy: `${scheme}://${silent}`, connectTimeoutMs: 200 }
      const error = await failureOf('tcp://127.0.0.1:9', options)
      assert.equal(error.code, 'ERR_CONNECT_TIMEOUT')
      assert.deepEqual(error.details, {
        timeoutMs: 200,
        stage: 'tunnel',
        addresses: [silent],
        proxy: `${scheme}://${silent}`,
      })
      await within('the end of the connection', seen)
      assert.ok(left.has('closed'))
    })

    test(`${scheme}: an abort rejects with its reason, and leaves the proxy`, async (t) => {
      const reason = new Error('enough')
      const controller = new AbortController()
      let seen: Promise<unknown> = Promise.resolve()
      const silent = await behaving(t, async (connection) => {
        seen = connection.closed
        await connection.read()
        controller.abort(reason)
        for await (const _ of connection);
        await connection.close()
      })
      const failing = connect('tcp://127.0.0.1:9', { proxy: `${scheme}://${silent}`, signal: controller.signal })
      await assert.rejects(within('the abort', failing), (thrown) => thrown === reason)
      await within('the end of the connection', seen)
    })

    test(`${scheme}: a proxy that ends, or answers what is no answer, is ERR_TUNNEL`, async (t) => {
      if (scheme === 'https') {
        const garbage = await behaving(t, (connection) =>
          connection.write('\x05\x00'.repeat(40)).then(() => connection.close()),
        )
        const error = await failureOf('tcp://127.0.0.1:9', { proxy: `https://${garbage}` })
        assert.equal(error.code, 'ERR_TLS_HANDSHAKE')
        assert.equal(error.details?.['proxy'], `https://${garbage}`)
        return
      }
      const answers =
        scheme === 'http'
          ? [
              '',
              'HTTP/1.1 200',
              'SSH-2.0-OpenSSH_9.2\r\n',
              '\x05\x00',
              'HTTP/1.1 200 OK\nx\n\n',
              'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
              `HTTP/1.1 200 ${'y'.repeat(5000)}`,
              `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(101)}`,
              `HTTP/1.1 200 OK\r\n${`a: ${'b'.repeat(8000)}\r\n`.repeat(3)}`,
              'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(5),
            ]
          : ['', '\x05', 'HTTP/1.1 400 Bad Request\r\n\r\n', '\xff\xff\xff\xff\xff\xff\xff\xff']
      for (const answer of answers) {
        const proxy = await behaving(t, async (connection) => {
          await connection.read()
          await connection.write(Buffer.from(answer, 'latin1'))
          await connection.close()
        })
        const error = await failureOf('tcp://127.0.0.1:9', { proxy: `${scheme}://${proxy}` })
        assert.equal(error.code, 'ERR_TUNNEL', JSON.stringify(answer))
        assert.deepEqual([error.details?.['proxy'], error.details?.['target']], [`${scheme}://${proxy}`, '127.0.0.1:9'])
        assert.ok(error.cause instanceof Error)
      }
    })
  }

  test('a proxy that sends without end, and never an answer, is left at the limits', async (t) => {
    let sent = 0
    const endless = await behaving(t, async (connection) => {
      for (const line = `x: ${'y'.repeat(4000)}\r\n`; ; sent += line.length)
        await connection.write(sent === 0 ? 'HTTP/1.1 200 OK\r\n' : line)
    })
    const error = await failureOf('tcp://127.0.0.1:9', { proxy: `http://${endless}` })
    assert.equal(error.code, 'ERR_TUNNEL')
    assert.ok(error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ERR_HTTP_FIELD_LIMIT')
  })

  test('an answer of several responses before the response, and one of HTTP/1.0, opens the tunnel', async (t) => {
    const answer =
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 204 Well\r\nContent-Length: 0\r\n\r\nhello\n'
    const proxy = await behaving(t, async (connection) => {
      await connection.read()
      for (const character of answer) await connection.write(character)
    })
    const connection = await connect('tcp://127.0.0.1:9', { proxy: `http://${proxy}` })
    assert.equal(await within('a line', connection.readLine()), 'hello\n')
    connection.destroy()
  })

  test('headers go with CONNECT, and an IPv6 target in brackets', async (t) => {
    const [proxy, target] = [await proxyFor(t), await echo(t, 'tcp://[::1]:0')]
    const options = { proxy: { url: `http://127.0.0.1:${proxy.port}`, headers: { 'User-Agent': 'test/1' } } }
    const connection = await exchange(target, options)
    await connection.close()
    const other = await exchange(target, { proxy: parseProxy(`socks5://127.0.0.1:${proxy.port}`) })
    await other.close()
    const port = portOf(target)
    assert.deepEqual(proxy.asked, [`CONNECT [::1]:${port} test/1`, `5 ::1:${port}`])
  })

  test('a proxy that nobody listens on, and one without an address, are told with its name', async () => {
    const closed = await listen('tcp://127.0.0.1:0')
    await closed.close()
    const port = portOf(closed.endpoint)
    const error = await failureOf('tcp://127.0.0.1:9', { proxy: `socks5h://ada:s3cret@127.0.0.1:${port}` })
    assert.equal(error.code, 'ERR_CONNECT')
    assert.equal(error.details?.['proxy'], `socks5h://127.0.0.1:${port}`)
    assert.ok(Array.isArray(error.details?.['attempts']))
    const unresolved = await failureOf('tcp://127.0.0.1:9', { proxy: 'http://proxy.invalid:1' })
    assert.equal(unresolved.code, 'ERR_RESOLVE')
  })

  test('a certificate of the proxy that nobody vouches for is ERR_TLS_HANDSHAKE with the name of the proxy', async (t) => {
    const proxy = await proxyFor(t, { tls: { cert, key } })
    const url = `https://127.0.0.1:${proxy.port}`
    const error = await failureOf('tcp://127.0.0.1:9', { proxy: url })
    assert.equal(error.code, 'ERR_TLS_HANDSHAKE')
    assert.equal(error.details?.['proxy'], url)
    const silent = await behaving(t, async (connection) => void (await connection.read()))
    const late = await failureOf('tcp://127.0.0.1:9', { proxy: `https://${silent}`, handshakeTimeoutMs: 100 })
    assert.equal(late.code, 'ERR_HANDSHAKE_TIMEOUT')
  })

  test('a target that a proxy cannot be asked for is refused', async (t) => {
    const proxy = `http://127.0.0.1:${(await proxyFor(t)).port}`
    for (const endpoint of ['unix:/run/nowhere.sock', 'memory:nowhere', 'tcp://:80']) {
      await assert.rejects(connect(endpoint, { proxy }), { code: 'ERR_ENDPOINT_SCHEME' })
    }
    await assert.rejects(connect('tcp://[fe80::1%eth0]:80', { proxy }), { code: 'ERR_ARGUMENT' })
    const four = `socks4://127.0.0.1:${(await proxyFor(t)).port}`
    await assert.rejects(connect('tcp://[::1]:80', { proxy: four }), { code: 'ERR_ARGUMENT' })
    await assert.rejects(connect('tcp://127.0.0.1:80', { proxy: 'nonsense' }), { code: 'ERR_PROXY_URL' })
  })

  test('a large exchange goes through a tunnel whole, also where it is TLS in TLS', async (t) => {
    const target = await echo(t, 'tls://127.0.0.1:0', { tls: { cert, key } })
    const proxy = await proxyFor(t, { tls: { cert, key } })
    const options = { proxy: { url: `https://127.0.0.1:${proxy.port}`, tls: { ca: cert } }, tls: { ca: cert } }
    const connection = await connect(target, options)
    const bytes = new Uint8Array(8 * 1024 * 1024).map((_, i) => (i * 31 + (i >> 8)) & 0xff)
    const writing = connection.write(bytes).then(() => connection.closeWrite())
    const parts: Uint8Array[] = []
    for await (const part of connection) parts.push(part)
    await writing
    assert.equal(Buffer.compare(Buffer.concat(parts), bytes), 0)
    await connection.close()
  })
})
