import assert from 'node:assert/strict'
import { connect as netConnect } from 'node:net'
import { test } from 'node:test'
import { serveHttp } from '#src/http/server.js'
import { text } from '#src/http/response.js'
import { until, within } from '#src/testing/contract-row.js'

const TIMEOUT = { timeout: 120_000 }
const REQUESTS = 1000

const bodyOf = (i: number, size: number): string =>
  String(i)
    .padStart(8, '0')
    .repeat(size / 8)

/** Sends many requests at once and reads the answers, in its own time. @returns how many were right, in order. */
function askAll(endpoint: string, size: number, delayMs: number): Promise<number> {
  const { port, host } = new URL(endpoint)
  return new Promise((resolve, reject) => {
    const socket = netConnect(Number(port), '127.0.0.1')
    let requests = ''
    for (let i = 0; i < REQUESTS; i += 1) requests += `GET /${i} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
    let [held, right] = ['', 0]
    const take = (): void => {
      for (;;) {
        const head = held.indexOf('\r\n\r\n')
        if (head === -1 || held.length < head + 4 + size) return
        if (held.slice(head + 4, head + 4 + size) !== bodyOf(right, size)) {
          reject(new Error(`answer ${right} is another one`))
          socket.destroy()
          return
        }
        right += 1
        held = held.slice(head + 4 + size)
        if (right === REQUESTS) socket.destroy()
      }
    }
    socket.write(requests)
    socket.pause()
    setTimeout(() => socket.resume(), delayMs)
    socket.on('data', (chunk: Buffer) => {
      held += chunk.toString('latin1')
      take()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(right))
  })
}

for (const [name, isAsync] of [
  ['that come later', true],
  ['that are there at once', false],
] as const) {
  for (const [size, delayMs] of [
    [16_000, 0],
    [60_000, 300],
  ] as const) {
    test(`a thousand pipelined requests: answers of ${size} bytes ${name}, in order and whole`, TIMEOUT, async () => {
      const answer = (path: string) => text(bodyOf(Number(path.slice(1)), size))
      await using server = await serveHttp(
        'http://127.0.0.1:0',
        isAsync ? async ({ path }) => answer(path) : ({ path }) => answer(path),
      )
      for (let round = 0; round < 5; round += 1)
        assert.equal(await within('the answers', askAll(server.endpoint, size, delayMs), 20_000), REQUESTS)
      await server.close({ graceMs: 100 })
    })
  }
}

test('answers to a client that reads none of them stop at little', TIMEOUT, async () => {
  let asked = 0
  await using server = await serveHttp('http://127.0.0.1:0', () => {
    asked += 1
    return text('x'.repeat(60_000))
  })
  const { port, host } = new URL(server.endpoint)
  const socket = netConnect(Number(port), '127.0.0.1').pause()
  socket.on('error', () => undefined)
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(REQUESTS))
  let before = -1
  await until('no more', () => {
    const stands = asked === before && asked > 0
    before = asked
    return stands
  })
  // What the system takes, which is some megabytes, and no more than the mark behind it.
  assert.ok(asked < 300, `${asked} of ${REQUESTS} were answered`)
  assert.equal(server.metrics.failed, 0)
  socket.destroy()
})

test('a file of a form of any size, whose last boundary may come with all of it', TIMEOUT, async () => {
  const got: number[] = []
  await using server = await serveHttp('http://127.0.0.1:0', async (request) => {
    let bytes = 0
    for await (const part of request.formParts()) {
      assert.equal(part.kind, 'file')
      if (part.kind === 'file') for await (const chunk of part) bytes += chunk.length
    }
    got.push(bytes)
    return text('taken\n')
  })
  const sizes = [1000, 16_000, 32_000, 50_000, 60_000, 65_536, 100_000, 131_072, 400_000]
  for (const size of sizes) {
    const form = new FormData()
    form.set('file', new Blob([new Uint8Array(size).fill(7)]), 'a.bin')
    const answer = await fetch(server.endpoint, { method: 'POST', body: form, signal: AbortSignal.timeout(5000) })
    assert.equal(await answer.text(), 'taken\n', String(size))
  }
  assert.deepEqual(got, sizes)
})
