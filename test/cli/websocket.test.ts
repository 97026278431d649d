import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { createServer } from 'node:net'
import { serveHttp } from '#src/http/server.js'
import { connectWebSocket } from '#src/websocket/client.js'
import { websocket } from '#src/websocket/server.js'
import { main, missing, moorage, start, stopAll } from './_programs.js'

const TIMEOUT = { timeout: 30_000 }
afterEach(stopAll)

const handler = new URL('../fixtures/websockets.js', import.meta.url)
const ws = (endpoint: string): string => endpoint.replace(/^http/, 'ws')

test(
  'connect sends each line as a text, prints each message as a line, and ends behind the last answer',
  TIMEOUT,
  async () => {
    await using server = await serveHttp('http://127.0.0.1:0', handler)
    const program = moorage(['connect', `${ws(server.endpoint)}/iterated`])
    program.input.end('one\nGrüße\n\nfour')
    assert.equal(await program.ends(), 0, program.err)
    assert.equal(Buffer.from(program.out, 'latin1').toString(), 'one\nGrüße\n\nfour\n')
  },
)

test('connect --binary passes every byte in both directions', TIMEOUT, async () => {
  await using server = await serveHttp('http://127.0.0.1:0', handler)
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255))
  const program = moorage(['connect', '--binary', '--compress', `${ws(server.endpoint)}/compressed`])
  program.input.end(sent)
  assert.equal(await program.ends(), 0, program.err)
  assert.equal(Buffer.compare(Buffer.from(program.out, 'latin1'), sent), 0)
})

test('connect sends fields and subprotocols, and -v tells what was agreed on', TIMEOUT, async () => {
  const seen: string[] = []
  const service = websocket(
    async (peer, { headers }) => {
      seen.push(headers.get('authorization') ?? '', headers.get('x-a') ?? '', peer.protocol)
      await peer.send('done')
    },
    { protocols: ['chat.v1'] },
  )
  await using server = await serveHttp('http://127.0.0.1:0', service)
  const url = ws(server.endpoint).replace('//', '//ann:secret@')
  const fields = ['-H', 'X-A: b', '--subprotocol', 'chat.v2', '--subprotocol', 'chat.v1']
  const program = moorage(['connect', '-v', ...fields, url])
  assert.equal(await program.ends(), 0, program.err)
  assert.deepEqual(seen, [`Basic ${Buffer.from('ann:secret').toString('base64')}`, 'b', 'chat.v1'])
  assert.match(program.err, /speaking chat\.v1/)
  assert.doesNotMatch(program.err, /secret/)
})

test('connect --exec joins a program: messages are its lines, and its lines are messages', TIMEOUT, async () => {
  const heard: unknown[] = []
  const service = websocket(async (peer) => {
    for (const word of ['one', 'two']) await peer.send(word)
    for await (const message of peer) if (heard.push(message) === 2) return
  })
  await using server = await serveHttp('http://127.0.0.1:0', service)
  const program = moorage(['connect', ws(server.endpoint), '--exec', 'while read line; do echo "<$line>"; done'])
  await program.ends()
  assert.deepEqual(heard, ['<one>', '<two>'])
})

test('connect ends with 1 and says the code when the server closes otherwise than in order', TIMEOUT, async () => {
  await using server = await serveHttp(
    'http://127.0.0.1:0',
    websocket((peer) => void peer.close(4001, 'no room')),
  )
  const program = moorage(['connect', ws(server.endpoint)])
  assert.equal(await program.ends(), 1)
  assert.match(program.err, /4001: no room/)
})

test('connect tells in a line what an answer that is no WebSocket says', TIMEOUT, async () => {
  await using server = await serveHttp('http://127.0.0.1:0', handler)
  const program = moorage(['connect', `${ws(server.endpoint)}/page`])
  assert.equal(await program.ends(), 1)
  assert.match(program.err, /^moorage: Cannot open a WebSocket at ws:.*the server answered 200 OK: a page\n$/)
  const checked = moorage(['connect', '-z', `${ws(server.endpoint)}/echo`])
  assert.equal(await checked.ends(), 0)
  assert.match(checked.err, /is open/)
})

test('listen meets a client, and ends with it', TIMEOUT, async () => {
  const program = moorage(['listen', 'ws://127.0.0.1:0/chat'])
  const endpoint = await program.listening()
  assert.match(endpoint, /^ws:\/\/127\.0\.0\.1:\d+\/chat$/)
  await assert.rejects(connectWebSocket(endpoint.replace('/chat', '/other')), { code: 'ERR_WEBSOCKET_HANDSHAKE' })
  const client = await connectWebSocket(endpoint)
  await assert.rejects(connectWebSocket(endpoint), { code: 'ERR_WEBSOCKET_HANDSHAKE' })
  await client.send('to the terminal')
  await program.says('to the terminal')
  program.input.write('to the client\n')
  assert.equal(await client.receive(), 'to the client')
  await client.close()
  assert.equal(await program.ends(), 0, program.err)
})

test('listen -k --exec runs a program for each client', TIMEOUT, async () => {
  const program = moorage([
    'listen',
    '-k',
    'ws://127.0.0.1:0',
    '--exec',
    'tr -u a-z A-Z 2>/dev/null || sed -u y/abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKLMNOPQRSTUVWXYZ/',
  ])
  const endpoint = await program.listening()
  const clients = await Promise.all(
    ['ann', 'bob'].map(async (name) => {
      const client = await connectWebSocket(endpoint)
      await client.send(name)
      return client
    }),
  )
  assert.deepEqual(await Promise.all(clients.map((client) => client.receive())), ['ANN', 'BOB'])
  await Promise.all(clients.map((client) => client.close()))
  program.child.kill('SIGTERM')
  assert.equal(await program.ends(), 0, program.err)
})

test(
  'listen -k sends whole lines, however its input is cut, and keeps those that nobody is there for',
  TIMEOUT,
  async () => {
    const program = moorage(['listen', '-k', '-x', 'ws://127.0.0.1:0'])
    const endpoint = await program.listening()
    const wanted = Array.from({ length: 20_000 }, (_, i) => `${i} äöü€`)
    const bytes = Buffer.from(`${wanted.join('\n')}\n`)
    const first = await connectWebSocket(endpoint)
    for (let at = 0; at < bytes.length; at += 4099) program.input.write(bytes.subarray(at, at + 4099))
    for (const line of wanted) assert.equal(await first.receive(), line)
    await program.says(/> 0{8}  30 20 c3 a4/)
    await first.close()
    program.input.write('for the next\n')
    const second = await connectWebSocket(endpoint)
    assert.equal(await second.receive(), 'for the next')
    await second.send('shown')
    await program.says(/< 0{8}  73 68 6f 77 6e/)
    await second.close()
    program.child.kill('SIGTERM')
    assert.equal(await program.ends(), 0)
  },
)

test('listen -k --max 1: who comes second waits, and one that gave up takes no place', TIMEOUT, async () => {
  const program = moorage(['listen', '-k', '--exec', 'cat', '--max', '1', 'ws://127.0.0.1:0'])
  const endpoint = await program.listening()
  const first = await connectWebSocket(endpoint)
  const stop = new AbortController()
  const given = connectWebSocket(endpoint, { signal: stop.signal })
  const second = connectWebSocket(endpoint)
  await first.send('one')
  assert.equal(await first.receive(), 'one')
  stop.abort(new Error('no more patience'))
  await assert.rejects(given, /no more patience/)
  // What is no handshake takes none for long.
  const page = fetch(endpoint.replace('ws:', 'http:'))
  await first.close()
  const client = await second
  await client.send('two')
  assert.equal(await client.receive(), 'two')
  await client.close()
  assert.equal((await page).status, 426)
  const third = await connectWebSocket(endpoint)
  await third.close()
  program.child.kill('SIGTERM')
  assert.equal(await program.ends(), 0)
})

test('listen --origin lets pages of these sites in, and * of all', TIMEOUT, async () => {
  for (const [args, allowed, refused] of [
    [[], undefined, 'http://127.0.0.1:8000'],
    [['--origin', 'http://127.0.0.1:8000/', '--origin', 'https://example.com:443'], 'https://example.com', 'null'],
    [['--origin', 'http://127.0.0.1:8000'], 'http://127.0.0.1:8000', 'http://127.0.0.1:8001'],
    [['--origin', '*'], 'null', undefined],
  ] as const) {
    const program = moorage(['listen', '-k', ...args, 'ws://127.0.0.1:0'])
    const endpoint = await program.listening()
    if (refused !== undefined)
      await assert.rejects(connectWebSocket(endpoint, { headers: { Origin: refused } }), {
        code: 'ERR_WEBSOCKET_HANDSHAKE',
      })
    if (allowed !== undefined) await (await connectWebSocket(endpoint, { headers: { Origin: allowed } })).close()
    await program.stop()
  }
})

test('no password and no query of a URL is shown', TIMEOUT, async () => {
  await using server = await serveHttp('http://127.0.0.1:0', handler)
  const url = `${ws(server.endpoint).replace('//', '//ann:secret@')}/echo?token=secret`
  const open = moorage(['connect', '-z', url, `${ws(server.endpoint)}/echo`])
  assert.equal(await open.ends(), 0, open.err)
  assert.match(open.err, /^ws:\/\/127\.0\.0\.1:\d+\/echo\?[^a-z]+ is open\nws:.*\/echo is open\n$/)
  for (const args of [
    ['listen', 'ws://ann:secret@127.0.0.1:0/'],
    ['listen', 'ws://ann:se/cret@127.0.0.1:0/'],
    ['listen', 'ws://ann:sec@ret@127.0.0.1:0/'],
    ['connect', 'tcp://ann:secret@127.0.0.1:1'],
    ['connect', '-z', 'tcp://ann:secret@127.0.0.1:1'],
  ]) {
    const program = moorage(args)
    assert.equal(await program.ends(), 2, program.err)
    assert.doesNotMatch(program.err, /secret|cret@|ann:|sec@/)
  }
})

test('connect --timeout limits the handshake, too', TIMEOUT, async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined))
  silent.unref()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  assert.ok(typeof address === 'object' && address !== null)
  const began = performance.now()
  const program = moorage(['connect', '--timeout', '300ms', `ws://127.0.0.1:${address.port}`])
  assert.equal(await program.ends(), 1)
  assert.match(program.err, /nothing within 300 ms/)
  assert.ok(performance.now() - began < 8000)
  silent.close()
})

test('listen wss: makes a certificate, and connect --insecure takes it', TIMEOUT, async () => {
  const program = moorage(['listen', 'wss://127.0.0.1:0'])
  const endpoint = await program.listening()
  const client = moorage(['connect', '--insecure', endpoint])
  client.input.write('over TLS\n')
  await program.says('over TLS')
  client.input.end()
  assert.equal(await client.ends(), 0, client.err)
  assert.equal(await program.ends(), 0, program.err)
})

test('connect --ping tells how long the answer takes', TIMEOUT, async () => {
  await using server = await serveHttp('http://127.0.0.1:0', handler)
  const program = moorage(['connect', '--ping', '50ms', `${ws(server.endpoint)}/echo`])
  await program.says(/pong after \d+\.\d ms/)
  program.input.end()
  assert.equal(await program.ends(), 0, program.err)
})

test('options of WebSockets are refused elsewhere, and others here', TIMEOUT, async () => {
  for (const args of [
    ['connect', '--subprotocol', 'a', 'tcp://127.0.0.1:1'],
    ['connect', '-H', 'a: b', 'tcp://127.0.0.1:1'],
    ['listen', '--compress', 'tcp://127.0.0.1:0'],
    ['connect', '--crlf', 'ws://127.0.0.1:1'],
    ['connect', '--relay', 'tcp://127.0.0.1:1', 'ws://127.0.0.1:1'],
    ['connect', '-H', 'no colon', 'ws://127.0.0.1:1'],
    ['connect', 'ws://127.0.0.1:1#part'],
    ['connect', '--ping', '0', 'ws://127.0.0.1:1'],
    ['listen', '--max', '0', 'ws://127.0.0.1:0'],
    ['listen', '--max', '0', 'tcp://127.0.0.1:0'],
    ['listen', '--origin', 'example.com', 'ws://127.0.0.1:0'],
    ['listen', '--origin', 'http://example.com/page', 'ws://127.0.0.1:0'],
    ['listen', '--origin', 'http://example.com', 'tcp://127.0.0.1:0'],
  ]) {
    const program = moorage(args)
    assert.equal(await program.ends(), 2, `${args.join(' ')}: ${program.err}`)
    assert.match(program.err, /^moorage: Cannot/)
  }
})

const PTY = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)'
test(
  'connect on a terminal has a prompt, shows what comes above it, and answers /ping and /close',
  { ...TIMEOUT, skip: missing('/usr/bin/python3') },
  async () => {
    await using server = await serveHttp('http://127.0.0.1:0', handler)
    const program = start(
      '/usr/bin/python3',
      ['-c', PTY, process.execPath, main, 'connect', `${ws(server.endpoint)}/echo`],
      {
        env: { NO_COLOR: '1' },
      },
    )
    await program.says('> ')
    program.input.write('hello\r')
    await program.says(/< hello/)
    program.input.write('/ping\r')
    await program.says(/pong after \d/)
    program.input.write('/close 4000 enough\r')
    assert.equal(await program.ends(), 0, program.out)
  },
)
