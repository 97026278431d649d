import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as netConnect } from 'node:net'
import { suite, test } from 'node:test'
import { errorCodeOf } from '#src/base/errors.js'
import { encodeEvent, sse, type ServerSentEvent } from '#src/http/event-stream.js'
import { fetchHandler } from '#src/http/fetch-adapter.js'
import { stream, type HttpResponse } from '#src/http/response.js'
import { serveHttp } from '#src/http/server.js'
import { until, within } from '#src/testing/contract-row.js'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const TIMEOUT = { timeout: 30_000 }

suite('server-sent events', () => {
  const rows: readonly (readonly [event: ServerSentEvent | string, text: string])[] = [
    ['hello', 'data: hello\n\n'],
    ['', 'data: \n\n'],
    ['two\nlines\r\nand\rmore', 'data: two\ndata: lines\ndata: and\ndata: more\n\n'],
    [{ event: 'tick', id: '7', retry: 1000, data: 'x' }, 'event: tick\nid: 7\nretry: 1000\ndata: x\n\n'],
    [{ id: '' }, 'id: \n\n'],
  ]
  for (const [event, text] of rows) test(JSON.stringify(event), () => assert.equal(encodeEvent(event), text))

  for (const event of [{ id: 'a\nb' }, { id: 'a\0' }, { event: 'a\rdata: x' }, { retry: -1 }, { retry: 1.5 }])
    test(`${JSON.stringify(event)} is refused`, () => {
      assert.throws(
        () => encodeEvent(event),
        (error) => errorCodeOf(error) === 'ERR_ARGUMENT',
      )
    })

  test('they come as they are made, with heartbeats between, and an end', TIMEOUT, async () => {
    let goOn = (): void => undefined
    const waiting = new Promise<void>((resolve) => (goOn = resolve))
    async function* events(): AsyncGenerator<string> {
      yield 'first'
      await waiting
      yield 'second'
    }
    await using server = await serveHttp('http://127.0.0.1:0', () => sse(events(), { heartbeatMs: 20 }))
    const answer = await fetch(server.endpoint)
    assert.equal(answer.headers.get('content-type'), 'text/event-stream')
    let got = ''
    for await (const part of answer.body ?? []) {
      got += Buffer.from(part).toString()
      if (got.includes(':\n\n:\n\n')) goOn()
    }
    assert.match(got, /^data: first\n\n(:\n\n){2,}data: second\n\n$/)
  })

  test('when the client is gone the iterator is let go, also one that waits for ever', TIMEOUT, async () => {
    for (const heartbeatMs of [20, undefined]) {
      let returned = 0
      const endless: AsyncIterable<string> = {
        [Symbol.asyncIterator]: () => {
          let count = 0
          return {
            next: () => (count++ === 0 ? Promise.resolve({ done: false, value: 'one' }) : new Promise(() => undefined)),
            return: () => {
              returned += 1
              return Promise.resolve({ done: true, value: undefined })
            },
          }
        },
      }
      // A stream that may have an end goes on for a client that ended its own direction: that one may still read.
      const make = (): HttpResponse => (heartbeatMs === undefined ? stream(endless) : sse(endless, { heartbeatMs }))
      await using server = await serveHttp('http://127.0.0.1:0', make)
      const client = netConnect(Number(new URL(server.endpoint).port), '127.0.0.1')
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await once(client, 'data')
      if (heartbeatMs === undefined) client.resetAndDestroy()
      else client.destroy()
      await until('it to be let go', () => returned === 1)
      // Nor is it asked for anything for HEAD.
      await within('the head', fetch(server.endpoint, { method: 'HEAD' }))
      await until('it to be let go', () => returned === 2)
    }
  })

  for (const [way, answer] of [
    ['sse', (events: AsyncIterable<string>) => sse(events)],
    ['endless', (events: AsyncIterable<string>) => stream(events, { endless: true })],
  ] as const)
    test(
      `a client that ends its direction is gone at once, by the iterator and by the signal (${way})`,
      TIMEOUT,
      async () => {
        for (const early of [false, true]) {
          let returned = 0
          const aborted: string[] = []
          const endless: AsyncIterable<string> = {
            [Symbol.asyncIterator]: () => {
              let count = 0
              return {
                next: () =>
                  count++ === 0 ? Promise.resolve({ done: false, value: 'one' }) : new Promise(() => undefined),
                return: () => {
                  returned += 1
                  return Promise.resolve({ done: true, value: undefined })
                },
              }
            },
          }
          await using server = await serveHttp('http://127.0.0.1:0', async ({ signal }) => {
            signal.addEventListener('abort', () => aborted.push('aborted'))
            if (early) await nextTurn()
            return answer(endless)
          })
          const client = netConnect(Number(new URL(server.endpoint).port), '127.0.0.1')
          client.on('data', () => undefined)
          client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
          if (!early) await once(client, 'data')
          client.end()
          await until('it to be let go', () => returned === 1 && aborted.length === 1)
          await until('the end', () => client.closed)
        }
      },
    )

  test('a heartbeat is not what a fetch handler needs to hear that its client is gone', TIMEOUT, async () => {
    let isCancelled = false
    const events = (): Response =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(Buffer.from('data: one\n\n')),
          cancel: () => {
            isCancelled = true
          },
        }),
        { headers: { 'Content-Type': 'text/event-stream' } },
      )
    await using server = await serveHttp('http://127.0.0.1:0', fetchHandler(events))
    const client = netConnect(Number(new URL(server.endpoint).port), '127.0.0.1')
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(client, 'data')
    client.end()
    await until('it to be let go', () => isCancelled)
  })

  test('a client that ends its direction gets all of a stream that may have an end', TIMEOUT, async () => {
    async function* parts(): AsyncGenerator<string> {
      for (let i = 0; i < 5; i += 1) {
        await nextTurn()
        yield `part ${i}\n`
      }
    }
    await using server = await serveHttp('http://127.0.0.1:0', () => stream(parts(), { close: true }))
    const client = netConnect({ port: Number(new URL(server.endpoint).port), host: '127.0.0.1', allowHalfOpen: true })
    client.end('GET / HTTP/1.0\r\n\r\n')
    let text = ''
    for await (const part of client) text += String(part)
    assert.match(text, /part 0\npart 1\npart 2\npart 3\npart 4\n$/)
  })
})
