import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { serveHttp } from 'moorage/http'
import { FakeClock } from 'moorage/testing'
import { connectWebSocket, type WebSocketClient, type WebSocketClientOptions } from 'moorage/websocket'
import { turns, until, within } from '#src/testing/contract-row.js'
import { encodeInput, encodeResync } from '../../../examples/game/rules/client-messages.js'
import { Follower } from '../../../examples/game/rules/follower.js'
import { hash, MAX_SHIPS, steerOf } from '../../../examples/game/rules/state.js'
import { Game } from '../../../examples/game/server.js'
import { gameHandler } from '../../../examples/game/web.js'

const EAST = steerOf(0, true, false)

async function start(context: TestContext) {
  const clock = new FakeClock()
  const game = new Game({ clock, seed: 4 })
  const server = await serveHttp('http://127.0.0.1:0', gameHandler(game))
  context.after(() => server.close({ graceMs: 1000 }))
  const join = async (name: string, options?: WebSocketClientOptions): Promise<WebSocketClient> => {
    const players = game.report().players
    const url = `${server.endpoint.replace('http', 'ws')}/socket?name=${encodeURIComponent(name)}`
    const socket = await connectWebSocket(url, options)
    context.after(() => socket.destroy())
    await until('the seat', () => game.report().players > players)
    return socket
  }
  return { clock, game, server, join }
}

/** A player whose follower hears all that comes. */
class Listener {
  readonly follower = new Follower()
  readonly socket: WebSocketClient
  messages = 0
  readonly over: Promise<void>

  constructor(socket: WebSocketClient) {
    this.socket = socket
    this.over = this.#listen()
  }

  async #listen(): Promise<void> {
    for await (const message of this.socket) {
      this.messages += 1
      if (typeof message === 'string') {
        const told = JSON.parse(message) as { readonly ship: number }
        this.follower.own = told.ship
        continue
      }
      const answer = this.follower.receive(message, 0)
      if (answer !== undefined) void this.socket.send(answer)
    }
  }

  knows(game: Game): Promise<void> {
    return until('the newest tick', () => this.follower.view?.state.tick === game.state.tick)
  }
}

test('a player is given a ship, a snapshot and then deltas, and knows what the server knows', async (context) => {
  const { game, join } = await start(context)
  const ann = new Listener(await join('ann <b>\u0007'))
  game.tick()
  await ann.knows(game)
  assert.equal(ann.follower.own, 0)
  assert.equal(ann.follower.view?.players[0]?.name, 'ann b')
  const bob = new Listener(await join('bob'))
  for (let tick = 0; tick < 400; tick += 1) game.tick()
  for (const player of [ann, bob]) {
    await player.knows(game)
    assert.equal(hash(player.follower.view?.state ?? game.state), hash(game.state))
    assert.equal(player.follower.resyncs, 0)
  }
  assert.deepEqual(
    bob.follower.view?.players.map((player) => player?.name),
    ['ann b', 'bob'],
  )
  await bob.socket.close()
  await until('the free seat', () => game.report().players === 1)
  game.tick()
  await ann.knows(game)
  assert.equal(ann.follower.view?.state.ships[1], undefined)
})

test('what a player does at once is what the server makes of it later', async (context) => {
  const { game, join } = await start(context)
  const ann = new Listener(await join('ann'))
  game.tick()
  await ann.knows(game)
  const { follower, socket } = ann
  const own = (): unknown => follower.predicted?.ships[0]
  // Two inputs under way, so that the page is ahead of what it was told.
  for (let tick = 0; tick < 60; tick += 1) {
    const message = follower.steer(tick < 40 ? EAST : 0)
    assert.ok(message !== undefined)
    await socket.send(message)
    if (tick < 2) continue
    const predicted = own()
    await socket.ping()
    game.tick()
    await ann.knows(game)
    assert.equal(follower.waitingInputs, 2)
    assert.deepEqual(own(), predicted)
    assert.deepEqual(follower.correction, { x: 0, y: 0 })
  }
  for (let tick = 0; tick < 3; tick += 1) game.tick()
  await ann.knows(game)
  assert.equal(follower.waitingInputs, 0)
  assert.deepEqual(own(), game.state.ships[0])
})

test('inputs that come too early are used two a tick, and those beyond fifteen are passed over', async (context) => {
  const { game, join } = await start(context)
  const ann = new Listener(await join('ann'))
  for (let number = 1; number <= 20; number += 1) await ann.socket.send(encodeInput(number, EAST))
  await ann.socket.ping()
  const acks: unknown[] = []
  for (let tick = 0; tick < 10; tick += 1) {
    game.tick()
    await ann.knows(game)
    acks.push(ann.follower.view?.players[0]?.ack)
  }
  assert.deepEqual(acks, [7, 9, 11, 13, 15, 17, 18, 19, 20, 20])
})

for (const [name, message, code] of [
  ['text', 'hello', 1003],
  ['an empty message', new Uint8Array(0), 1008],
  ['an unknown message', Uint8Array.of(9, 9), 1008],
  ['an input that is cut', encodeInput(1, 0).subarray(0, 2), 1008],
  ['an input with the number of one before', encodeInput(0, 0), 1008],
  ['a message that is too long', new Uint8Array(9), 1009],
] as const) {
  test(`the game closes on ${name} with ${code}, and the ship is gone`, async (context) => {
    const { game, join } = await start(context)
    const socket = await join('ann')
    void socket.send(message)
    assert.equal((await within('the end', socket.closed)).code, code)
    await until('the free seat', () => game.report().players === 0)
  })
}

test('the game closes with 1008 on the message past 120 at once, and gives 45 more a second', async (context) => {
  const { clock, game, join } = await start(context)
  const socket = await join('ann')
  let number = 0
  const send = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) await socket.send(encodeInput((number += 1), 0))
    await socket.ping()
    // What came before the ping was heard.
    await turns(2)
  }
  await send(120)
  await clock.advance(1000)
  await send(45)
  assert.equal(game.report().players, 1)
  void socket.send(encodeInput(number + 1, 0))
  assert.equal((await within('the end', socket.closed)).code, 1008)
})

test('a player too many is closed with 1013, and a place that is left is given again', async (context) => {
  const { game, server, join } = await start(context)
  const sockets: WebSocketClient[] = []
  for (let count = 0; count < MAX_SHIPS; count += 1) sockets.push(await join(`player ${count}`))
  game.tick()
  const url = `${server.endpoint.replace('http', 'ws')}/socket`
  const late = await connectWebSocket(url)
  assert.equal((await within('the end', late.closed)).code, 1013)
  await sockets[5]?.close()
  await until('the free seat', () => game.report().players === MAX_SHIPS - 1)
  game.tick()
  const next = new Listener(await join('next'))
  game.tick()
  await next.knows(game)
  assert.equal(next.follower.own, 5)
})

test('a player who does not read is given what is newest, whole, when it reads again; nobody else notices', async (context) => {
  const { clock, game, server, join } = await start(context)
  const ann = new Listener(await join('ann'))
  const slow = await join('slow', { maxReceivedMessages: 1, maxReceivedBytes: 1 })
  const dropped = async (): Promise<number> => {
    const answer = await fetch(`${server.endpoint}/report`)
    const { messages } = (await answer.json()) as { readonly messages: { readonly dropped: number } }
    return messages.dropped
  }
  // Snapshots fill what the system holds sooner than deltas.
  for (let rounds = 0; (await dropped()) === 0; rounds += 1) {
    assert.ok(rounds < 1000)
    for (let i = 0; i < 20; i += 1) {
      await slow.send(encodeResync())
      await turns(1)
      game.tick()
    }
    await clock.advance(1000)
  }
  for (let i = 0; i < 100; i += 1) game.tick()
  assert.ok((await dropped()) >= 100)
  const reading = new Listener(slow)
  await ann.knows(game)
  await until('the newest snapshot', () => reading.follower.view?.state.tick === game.state.tick)
  for (let i = 0; i < 5; i += 1) game.tick()
  for (const player of [ann, reading]) {
    await player.knows(game)
    assert.deepEqual([hash(player.follower.view?.state ?? game.state), player.follower.resyncs], [hash(game.state), 0])
  }
  assert.ok(reading.messages < game.state.tick)
})

test('a follower that lost track asks for a snapshot, once, and goes on behind it', async (context) => {
  const { game, join } = await start(context)
  const socket = await join('ann')
  const follower = new Follower()
  await socket.receive()
  game.tick()
  const next = async (): Promise<Uint8Array> => {
    const message = await within('a message', socket.receive())
    assert.ok(message instanceof Uint8Array)
    return message
  }
  assert.equal(follower.receive(await next(), 0), undefined)
  for (let tick = 0; tick < 3; tick += 1) game.tick()
  // One is lost.
  await next()
  const answer = follower.receive(await next(), 0)
  assert.deepEqual(answer, encodeResync())
  assert.equal(follower.receive(await next(), 0), undefined)
  await socket.send(encodeResync())
  await socket.ping()
  game.tick()
  follower.receive(await next(), 0)
  assert.deepEqual([hash(follower.view?.state ?? game.state), follower.resyncs], [hash(game.state), 1])
})
