// A game for many in the browser: `npm run example -- game [http endpoint] [--record file] [--seed number]`, then open what
// it prints. `game bots ws://127.0.0.1:8003 100` plays with bots, `game replay file [ticks]` plays a record again.
import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { UsageError } from 'moorage'
import { serveHttp } from 'moorage/http'
import { runBots } from './bots.js'
import { machineClock } from './clock.js'
import { Recording, replay } from './recording.js'
import { Game } from './server.js'
import { gameHandler } from './web.js'

/** One line, and nothing was started. */
function refuse(why: string, code: number = 2): never {
  console.error(`game: ${why}`)
  process.exit(code)
}

/** What was asked for cannot be, or it went wrong. */
function failed(error: unknown): never {
  const isWrong = error instanceof UsageError || error instanceof TypeError
  return refuse(error instanceof Error ? error.message : String(error), isWrong ? 2 : 1)
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { record: { type: 'string' }, seed: { type: 'string' }, seconds: { type: 'string' } },
    })
  } catch (error) {
    return failed(error)
  }
}

const { values, positionals } = readArguments()
const [first = 'http://127.0.0.1:8003', ...rest] = positionals

/** A whole number of 32 bits. */
function toNumber(name: string, text: string, least: number): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < least || number >= 2 ** 32) refuse(`${name} is a number from ${least} up`)
  return number
}

async function play(endpoint: string): Promise<void> {
  const seed = values.seed === undefined ? randomInt(2 ** 32) : toNumber('--seed', values.seed, 0)
  const { record } = values
  const recording =
    record === undefined
      ? undefined
      : new Recording(record, seed, { ended: (why) => console.error(`game: the record ends: ${why}`) })
  const game = new Game({
    clock: machineClock,
    seed,
    record: recording && ((commands, state) => recording.add(commands, state)),
  })
  const server = await serveHttp(endpoint, gameHandler(game))
  game.start()
  console.log(`listening on ${server.endpoint}`)
  await server.serveForever()
  game.stop()
  await recording?.close(game.state)
}

async function playBots([url, count = '10']: readonly string[]): Promise<void> {
  if (url === undefined) refuse('give the URL of a game, as in: game bots ws://127.0.0.1:8003 100')
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  const durationMs = values.seconds === undefined ? Infinity : 1000 * toNumber('--seconds', values.seconds, 1)
  const seed = toNumber('--seed', values.seed ?? '1', 0)
  const report = await runBots(url, {
    count: toNumber('the number of bots', count, 1),
    seed,
    durationMs,
    signal: stopping.signal,
  })
  console.log(JSON.stringify(report))
}

async function playAgain([file, ticks = '300']: readonly string[]): Promise<void> {
  if (file === undefined) refuse('give a record, as in: game replay game.jsonl')
  if (!existsSync(file)) refuse(`cannot replay ${file}: there is no such file`)
  let differences = 0
  for await (const { tick, hash, recorded } of replay(file, toNumber('the ticks between hashes', ticks, 1))) {
    const isSame = recorded === undefined || recorded === hash
    if (!isSame) differences += 1
    console.log(`tick ${tick} ${hash}${recorded === undefined ? '' : isSame ? ' as recorded' : ` not ${recorded}`}`)
  }
  if (differences > 0) process.exitCode = 1
}

if (first === 'bots') await playBots(rest).catch(failed)
else if (first === 'replay') await playAgain(rest).catch(failed)
else await play(first).catch(failed)
