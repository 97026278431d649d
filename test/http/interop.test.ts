// Clients that people use against the server: connections that are kept, chunks, Expect, trailers, large and aborted bodies.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request as nodeRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { files } from '#src/static/files.js'
import { until } from '#src/testing/contract-row.js'

const run = promisify(execFile)
const TIMEOUT = { timeout: 60_000 }
const clients = fileURLToPath(new URL('../../../test/fixtures/clients/', import.meta.url))
const has = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args).status === 0
const missing = (program: string, isThere: boolean): { skip: string } | object =>
  isThere ? {} : { skip: `${program} is not installed` }

suite('clients that people use', () => {
  let server: HttpServer
  const folder = mkdtempSync(join(tmpdir(), 'moorage-interop-'))
  before(async () => {
    server = await serveHttp('http://127.0.0.1:0', new URL('../fixtures/web.js', import.meta.url))
  })
  after(async () => {
    // None of those that were aborted is left behind.
    await until('the connections to end', () => server.metrics.active === 0)
    await server.close({ graceMs: 100 })
    rmSync(folder, { recursive: true })
  })
  const ask = async (command: string, ...args: readonly string[]): Promise<unknown> =>
    JSON.parse((await run(command, args)).stdout)

  test('Python’s http.client', { ...TIMEOUT, ...missing('python3', has('/usr/bin/python3', '-V')) }, async () => {
    const seen = await ask('/usr/bin/python3', join(clients, 'http_client.py'), new URL(server.endpoint).port)
    assert.deepEqual(seen, {
      keepAlive: true,
      head: true,
      chunkedAnswer: 2000,
      large: true,
      chunkedBody: true,
      expect: ['HTTP/1.1 100 Continue\r\n\r\n', 'hello'],
      notFound: 404,
    })
  })

  const requests = has('/usr/bin/python3', '-c', 'import requests')
  test('Python’s requests', { ...TIMEOUT, ...missing('requests', requests) }, async () => {
    assert.deepEqual(await ask('/usr/bin/python3', join(clients, 'requests_client.py'), server.endpoint), {
      keepAlive: true,
      large: true,
      chunkedBody: true,
      lines: 500,
      json: { a: [1, 'ü'] },
      query: [
        ['q', 'a b&c'],
        ['ü', '1'],
      ],
      afterAborting: 'Hello, world!\n',
      problem: [404, 'Not Found'],
    })
  })

  test('Go’s net/http', { ...TIMEOUT, ...missing('go', has('go', 'version')) }, async () => {
    const binary = join(folder, 'client')
    await run('go', ['build', '-o', binary, join(clients, 'client.go')], {
      env: { ...process.env, GO111MODULE: 'off', GOCACHE: join(folder, 'cache') },
    })
    assert.deepEqual(await ask(binary, server.endpoint), {
      keepAlive: true,
      chunkedAnswer: 2000,
      large: true,
      chunkedBody: true,
      expect: 'hello',
      trailers: ['hello', '5', 'abc'],
      afterAborting: 'Hello, world!\n',
    })
  })

  test('curl', { ...TIMEOUT, ...missing('curl', has('curl', '-V')) }, async () => {
    const curl = async (...args: readonly string[]): Promise<string> =>
      (await run('curl', ['-sS', '--max-time', '30', ...args], { maxBuffer: 1e8 })).stdout
    const url = server.endpoint
    const [first, second] = (await curl(`${url}/port`, `${url}/port`)).split('\n')
    assert.equal(first, second)
    const body = join(folder, 'body')
    writeFileSync(body, Buffer.alloc(8 * 1024 * 1024, 'a few bytes more than that'))
    for (const way of [['-H', 'Expect: 100-continue'], ['-H', 'Transfer-Encoding: chunked'], ['--http1.0']]) {
      const out = join(folder, 'out')
      await curl(...way, '--data-binary', `@${body}`, '-o', out, `${url}/same`)
      assert.equal(readFileSync(out).equals(readFileSync(body)), true, way.join(' '))
    }
    const trailers = await curl('-i', '--raw', '--data-binary', 'hello', `${url}/trailers`)
    assert.match(trailers, /5\r\nhello\r\n0\r\nX-Count: 5\r\nX-Theirs: none\r\n\r\n$/)
    await assert.rejects(curl('--max-time', '0.2', '-o', '/dev/null', `${url}/lines?count=100000000`))
    assert.equal(await curl(`${url}/`), 'Hello, world!\n')
  })

  test('wget, which goes on where it was cut', { ...TIMEOUT, ...missing('wget', has('wget', '-V')) }, async () => {
    const whole = Buffer.alloc(3_000_000, 'what a file holds, again and again; ')
    const served = mkdtempSync(join(folder, 'served-'))
    writeFileSync(join(served, 'a file.bin'), whole)
    await using own = await serveHttp('http://127.0.0.1:0', files(served))
    const out = join(folder, 'wget.bin')
    writeFileSync(out, whole.subarray(0, 1_234_567))
    const { stderr } = await run('wget', ['-c', '-O', out, `${own.endpoint}/a%20file.bin`])
    assert.match(stderr, /206 Partial Content/)
    assert.equal(readFileSync(out).equals(whole), true)
    const again = await run('wget', ['-c', '-O', out, `${own.endpoint}/a%20file.bin`])
    assert.match(again.stderr, /416|nothing to do/)
    assert.equal(readFileSync(out).equals(whole), true)
  })

  test('fetch of Node.js, and its older client with trailers', TIMEOUT, async () => {
    const large = Buffer.alloc(8 * 1024 * 1024, 'sixteen bytes are')
    const same = await fetch(`${server.endpoint}/same`, { method: 'POST', body: large })
    assert.equal(Buffer.from(await same.arrayBuffer()).equals(large), true)
    const leaving = new AbortController()
    const endless = await fetch(`${server.endpoint}/lines?count=100000000`, { signal: leaving.signal })
    await endless.body?.getReader().read()
    leaving.abort()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const { body, trailers } = await new Promise<{ body: string; trailers: unknown }>((resolve, reject) => {
      const asking = nodeRequest(`${server.endpoint}/trailers`, { method: 'POST', agent }, (answer) => {
        let text = ''
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
        answer.on('end', () => resolve({ body: text, trailers: answer.trailers }))
      })
      asking.on('error', reject)
      asking.write('hel')
      asking.addTrailers({ 'X-Sum': '42' })
      asking.end('lo')
    })
    agent.destroy()
    assert.deepEqual({ body, trailers }, { body: 'hello', trailers: { 'x-count': '5', 'x-theirs': '42' } })
  })
})
