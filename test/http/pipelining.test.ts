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

/** What came, and a way to wait for more of it. */
interface Heard {
  text: string
  ended: boolean
}

for (const [name, size, delayMs] of [
  ['while its client takes none of the answers', 400_000, 0],
  ['while it makes the first answer', 10, 30],
] as const) {
  test(`close() answers every pipelined request whose first byte was read, ${name}`, TIMEOUT, async () => {
    const asked: string[] = []
    const server = await serveHttp('http://127.0.0.1:0', async ({ path }) => {
      asked.push(path)
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
      return text('x'.repeat(size))
    })
    const { port, host } = new URL(server.endpoint)
    const request = (i: number): string => `GET /${i} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
    const socket = netConnect(Number(port), '127.0.0.1').pause()
    const heard: Heard = { text: '', ended: false }
    socket.on('data', (chunk: Buffer) => (heard.text += chunk.toString('latin1')))
    socket.on('end', () => (heard.ended = true))
    // The first byte of the last one is with those before it.
    socket.write(Array.from({ length: 60 }, (_, i) => request(i)).join('') + request(60).slice(0, 5))
    let before = 0
    await until('the server to wait', () => {
      const stands = asked.length === before && asked.length > 0
      before = asked.length
      return stands
    })
    assert.ok(before < 60, `${before} were answered before the close`)
    const closing = server.close({ graceMs: 20_000 })
    socket.resume()
    const answers = (): string[] => heard.text.split('HTTP/1.1 ').slice(1)
    await until('those that were read whole', () => answers().length === 60)
    socket.write(request(60).slice(5) + request(61))
    await until('the end', () => heard.ended)
    assert.equal(answers().length, 61)
    for (const [i, answer] of answers().entries()) {
      assert.match(answer, /^200 /)
      assert.equal(/^Connection: close/m.test(answer), i === 60, `answer ${i}`)
      assert.equal(answer.length - answer.indexOf('\r\n\r\n') - 4, size)
    }
    socket.end()
    const report = await within('the close', closing)
    assert.equal(report.cutCount, 0)
    assert.deepEqual(asked.length, 61)
  })
}

test('close() ends a connection whose request was answered before its body was read', TIMEOUT, async () => {
  let asked = 0
  const server = await serveHttp('http://127.0.0.1:0', async () => {
    asked += 1
    await until('the end of the idle connection', () => isClosing)
    return text('enough\n')
  })
  let isClosing = false
  const { port, host } = new URL(server.endpoint)
  // Both hear of the close in one go.
  const idle = netConnect(Number(port), '127.0.0.1', () => idle.resume())
  idle.on('end', () => (isClosing = true))
  const socket = netConnect(Number(port), '127.0.0.1')
  const heard: Heard = { text: '', ended: false }
  socket.on('data', (chunk: Buffer) => (heard.text += chunk.toString('latin1')))
  socket.on('end', () => (heard.ended = true))
  socket.on('error', () => undefined)
  // More than the body's mark: a part of it waits in the engine.
  const body = 'x'.repeat(200_000)
  socket.write(`PUT / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  await until('both', () => asked === 1 && server.metrics.active === 2)
  const closing = server.close({ graceMs: 20_000 })
  await until('the end', () => heard.ended)
  assert.match(heard.text, /^HTTP\/1.1 200 .*Connection: close/s)
  socket.end()
  assert.equal((await within('the close', closing)).cutCount, 0)
})
