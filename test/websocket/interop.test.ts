// WebSockets of others: clients against our server, our client against their servers, and proxies between.
// oxlint-disable unicorn/prefer-add-event-listener -- these properties are the same in all of them
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'
import { WebSocket as UndiciWebSocket } from 'undici'
import { WebSocket, WebSocketServer } from 'ws'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { within } from '#src/testing/contract-row.js'
import { connectWebSocket } from '#src/websocket/client.js'
import { missing, start, stopAll } from '../cli/_programs.js'
import { localhostCertificate } from '../fixtures/certificates.js'
import { freePort } from '../fixtures/free-port.js'

const run = promisify(execFile)
const TIMEOUT = { timeout: 60_000 }
const PYTHON = '/usr/bin/python3'
const handler = new URL('../fixtures/websockets.js', import.meta.url)
const clients = fileURLToPath(new URL('../../../test/fixtures/clients/', import.meta.url))
const bun = fileURLToPath(new URL('../../../.build/bun/node_modules/.bin/bun', import.meta.url))
const noPython = spawnSync(PYTHON, ['-c', 'import websockets']).status === 0 ? false : 'Python has no websockets here'
const noBun = existsSync(bun) ? false : 'Bun was not fetched'
const folder = mkdtempSync(join(tmpdir(), 'moorage-websocket-interop-'))
afterEach(stopAll)
after(() => rmSync(folder, { recursive: true, force: true }))

const LARGE = { maxMessageBytes: 8 * 1024 * 1024 }

/** What a client in any language can do with our echo, by the interface that browsers have. */
async function browserLike(
  url: string,
  Socket: typeof UndiciWebSocket | typeof WebSocket | typeof globalThis.WebSocket,
): Promise<unknown> {
  const socket = new Socket(`${url}/echo`, ['chess', 'chat.v1'])
  socket.binaryType = 'arraybuffer'
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      socket.onmessage = ({ data }: { data: unknown }) => resolve(data)
      socket.onerror = () => reject(new Error('the socket failed'))
    })
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = () => reject(new Error('no connection'))
  })
  const seen: unknown[] = [socket.protocol]
  for (const message of ['hello', 'Grüße 世界', 'x'.repeat(70_000), new Uint8Array(1_000_000).fill(7)]) {
    const echo = next()
    socket.send(message)
    const back = await within('an echo', echo)
    seen.push(
      typeof back === 'string' ? back === message : back instanceof ArrayBuffer && back.byteLength === message.length,
    )
  }
  const closed = new Promise((resolve) => {
    socket.onclose = ({ code, wasClean }: { code: number; wasClean: boolean }) => resolve([code, wasClean])
  })
  socket.close(4000, 'done')
  seen.push(await within('the close', closed))
  return seen
}
const BROWSER_LIKE = ['chat.v1', true, true, true, true, [4000, true]]

suite('clients that people use', () => {
  let server: HttpServer
  let url = ''
  before(async () => {
    server = await serveHttp('http://127.0.0.1:0', handler)
    url = server.endpoint.replace('http:', 'ws:')
  })
  after(() => server.close({ graceMs: 500 }))

  test('ws', TIMEOUT, async () => assert.deepEqual(await browserLike(url, WebSocket), BROWSER_LIKE))
  test('undici, which is Node’s own client', TIMEOUT, async () =>
    assert.deepEqual(await browserLike(url, UndiciWebSocket), BROWSER_LIKE),
  )
  const own: typeof globalThis.WebSocket | undefined = globalThis.WebSocket
  test('the WebSocket of this Node', { ...TIMEOUT, skip: own === undefined ? 'Node 20 has none' : false }, async () =>
    assert.deepEqual(await browserLike(url, own), BROWSER_LIKE),
  )

  test('Python’s websockets', { ...TIMEOUT, skip: noPython }, async () => {
    const { stdout } = await run(PYTHON, [join(clients, 'websockets_client.py'), url])
    assert.deepEqual(JSON.parse(stdout), {
      subprotocol: 'chat.v1',
      fragments: 'a message in fragments',
      close: 1000,
      extensions: ['permessage-deflate'],
      refused: 200,
      counted: [1000, 1000],
    })
  })

  test('curl, which shakes hands and gets a frame', { ...TIMEOUT, skip: missing('curl') }, async () => {
    const fields = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    const args = ['-sS', '--http1.1', '-i', '-N', '--max-time', '5', ...fields.flatMap((field) => ['-H', field])]
    const { stdout } = await run('curl', [...args, `${server.endpoint}/who`], { encoding: 'latin1' }).catch(
      (error: { stdout: string }) => error,
    )
    assert.match(stdout, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
    assert.match(stdout, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/)
    assert.match(stdout, /\r\n\r\n\x81.\{"path":"\/who"/)
  })

  test('Chromium', { ...TIMEOUT, skip: missing('chromium') }, async () => {
    const browser = await chromium.launch({
      executablePath: spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout.trim(),
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    })
    try {
      const page = await browser.newPage()
      await page.goto(`${server.endpoint}/page`)
      const seen: unknown = await page.evaluate(async (base: string) => {
        const open = (path: string, protocols: string[] = []): Promise<globalThis.WebSocket> =>
          new Promise((resolve, reject) => {
            const socket = new globalThis.WebSocket(base + path, protocols)
            socket.binaryType = 'arraybuffer'
            socket.onopen = () => resolve(socket)
            socket.onerror = () => reject(new Error(path))
          })
        const echo = (socket: globalThis.WebSocket, message: string | Uint8Array<ArrayBuffer>): Promise<unknown> =>
          new Promise((resolve) => {
            socket.onmessage = ({ data }) =>
              resolve(typeof data === 'string' ? data === message : data.byteLength === message.length)
            socket.send(message)
          })
        const plain = await open('/echo', ['chat.v2'])
        const compressed = await open('/compressed')
        const seen: unknown[] = [plain.protocol, compressed.extensions !== '']
        for (const socket of [plain, compressed])
          for (const message of ['Grüße', 'x'.repeat(70_000), new Uint8Array(300_000)])
            seen.push(await echo(socket, message))
        const closed = new Promise((resolve) => {
          plain.onclose = ({ code, wasClean }) => resolve([code, wasClean])
        })
        plain.close(4001)
        seen.push(await closed)
        return seen
      }, url)
      assert.deepEqual(seen, ['chat.v2', true, ...Array.from({ length: 6 }, () => true), [4001, true]])
      // A page of another site may not.
      const other = await browser.newPage()
      await other.goto('data:text/html,<p>a page of nobody</p>')
      const refused: unknown = await other.evaluate(
        (base: string) =>
          new Promise((resolve) => {
            const socket = new globalThis.WebSocket(`${base}/echo`)
            socket.onopen = () => resolve('open')
            socket.onclose = ({ code }) => resolve(code)
          }),
        url,
      )
      assert.equal(refused, 1006)
    } finally {
      await browser.close()
    }
  })
})

/** What our client does with an echo of others, and with a server that leaves. */
async function ours(url: string, compresses: boolean): Promise<void> {
  const protocols = ['chat.v1']
  const socket = await connectWebSocket(url, {
    ...LARGE,
    protocols,
    ...(compresses ? { compression: { thresholdBytes: 0 } } : {}),
  })
  for (const message of [
    'hello',
    'Grüße 世界',
    '',
    'x'.repeat(70_000),
    new Uint8Array([0, 0x81, 255]),
    new Uint8Array(1_000_000).fill(9),
  ]) {
    await socket.send(message)
    const back = await within('an echo', socket.receive())
    assert.ok(
      typeof message === 'string'
        ? back === message
        : back instanceof Uint8Array && Buffer.compare(back, message) === 0,
    )
  }
  assert.ok((await within('a pong', socket.ping())) >= 0)
  assert.deepEqual([(await socket.close(4000, 'done')).wasClean], [true])
  const left = await connectWebSocket(`${url}/leave`)
  const { code, reason, wasClean } = await within('the close', left.closed)
  assert.deepEqual([code, reason, wasClean], [4321, 'that is all', true])
}

suite('servers that people use', () => {
  for (const perMessageDeflate of [false, true])
    test(`ws, ${perMessageDeflate ? 'with' : 'without'} compression`, TIMEOUT, async () => {
      const theirs = new WebSocketServer({
        host: '127.0.0.1',
        port: 0,
        perMessageDeflate,
        handleProtocols: () => 'chat.v1',
      })
      theirs.on('connection', (peer, { url }) => {
        if (url === '/leave') peer.close(4321, 'that is all')
        peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }))
      })
      await new Promise((resolve) => theirs.once('listening', resolve))
      const address = theirs.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      await ours(`ws://127.0.0.1:${port}`, perMessageDeflate)
      theirs.close()
    })

  test('Python’s websockets', { ...TIMEOUT, skip: noPython }, async () => {
    const port = await start(PYTHON, [join(clients, 'websockets_server.py')]).says(/^(\d+)$/m)
    await ours(`ws://127.0.0.1:${port}`, false)
    await ours(`ws://127.0.0.1:${port}`, true)
  })

  test('Bun', { ...TIMEOUT, skip: noBun }, async () => {
    const port = await start(bun, [join(clients, 'bun-websockets.mjs')]).says(/^(\d+)$/m)
    await ours(`ws://127.0.0.1:${port}`, false)
    await ours(`ws://127.0.0.1:${port}`, true)
  })
})

suite('through reverse proxies', () => {
  let server: HttpServer
  before(async () => {
    server = await serveHttp('http://127.0.0.1:0', handler)
  })
  after(() => server.close({ graceMs: 500 }))
  const through = async (port: number): Promise<void> => {
    const url = `ws://127.0.0.1:${port}`
    const socket = await connectWebSocket(`${url}/compressed`, { ...LARGE, compression: { thresholdBytes: 0 } })
    for (const message of ['hello', 'x'.repeat(70_000), new Uint8Array(1_000_000)]) {
      await socket.send(message)
      assert.equal((await within('an echo', socket.receive()))?.length, message.length)
    }
    assert.equal((await socket.close()).wasClean, true)
    assert.deepEqual(await browserLike(url, WebSocket), BROWSER_LIKE)
  }

  test('nginx', { ...TIMEOUT, skip: missing('nginx') }, async () => {
    const port = await freePort()
    const path = join(folder, 'nginx.conf')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    )
    writeFileSync(
      path,
      `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr crit; events {}
http { access_log off; ${temporary.join(' ')}
  server { listen 127.0.0.1:${port};
    location / { proxy_pass ${server.endpoint}; proxy_http_version 1.1; proxy_set_header Host $host:$server_port;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } } }`,
    )
    start('nginx', ['-c', path, '-e', 'stderr'])
    await listens(port)
    await through(port)
  })

  test('haproxy', { ...TIMEOUT, skip: missing('haproxy') }, async () => {
    const port = await freePort()
    const path = join(folder, 'haproxy.cfg')
    writeFileSync(
      path,
      `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 1h
listen all
  bind 127.0.0.1:${port}
  server one ${server.endpoint.replace('http://', '')}
`,
    )
    start('haproxy', ['-f', path, '-db'])
    await listens(port)
    await through(port)
  })

  test('one that breaks off WebSockets leaves server-sent events', { ...TIMEOUT, skip: missing('nginx') }, async () => {
    const rooms = await serveHttp('http://127.0.0.1:0', new URL('../fixtures/room-server.js', import.meta.url))
    const port = await freePort()
    const path = join(folder, 'plain.conf')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    )
    // As proxies are that nobody has told of WebSockets.
    writeFileSync(
      path,
      `daemon off; master_process off; pid ${folder}/plain.pid; error_log stderr crit; events {}
http { access_log off; ${temporary.join(' ')}
  server { listen 127.0.0.1:${port}; location / { proxy_pass ${rooms.endpoint}; proxy_buffering off; } } }`,
    )
    start('nginx', ['-c', path, '-e', 'stderr'])
    await listens(port)
    await assert.rejects(connectWebSocket(`ws://127.0.0.1:${port}/rooms`), { code: 'ERR_WEBSOCKET_HANDSHAKE' })
    const stop = new AbortController()
    const response = await fetch(`http://127.0.0.1:${port}/events?room=news`, { signal: stop.signal })
    const writer = await connectWebSocket(`${rooms.endpoint}/rooms`)
    await writer.send(JSON.stringify({ type: 'publish', id: 1, room: 'news', data: 'still here' }))
    let text = ''
    for await (const bytes of response.body ?? [])
      if ((text += Buffer.from(bytes).toString()).includes('still here')) break
    assert.match(text, /^id: [\w-]+:1$/m)
    stop.abort()
    await writer.close()
    await rooms.close({ graceMs: 500 })
  })
})

suite('over TLS, with clients of others', () => {
  test('ws', TIMEOUT, async () => {
    const { cert, key } = await localhostCertificate()
    await using server = await serveHttp('https://127.0.0.1:0', handler, { tls: { cert, key } })
    const socket = new WebSocket(`${server.endpoint.replace('https://127.0.0.1', 'wss://localhost')}/echo`, {
      ca: cert,
    })
    const echo = new Promise((resolve) =>
      socket.once('message', (data) => resolve(Buffer.isBuffer(data) ? data.toString() : data)),
    )
    socket.once('open', () => socket.send('over TLS'))
    assert.equal(await within('the echo', echo), 'over TLS')
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.close()
    assert.equal(await within('the close', closed), 1005)
  })
})

/** Waits until somebody listens there. */
async function listens(port: number): Promise<void> {
  for (const until = performance.now() + 10_000; performance.now() < until;) {
    try {
      await fetch(`http://127.0.0.1:${port}/page`)
      return
    } catch {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  throw new Error(`nobody listens on port ${port}`)
}
