import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'node:test'
import { errorCodeOf } from '#src/base/errors.js'
import { folders } from './_both-ends.js'
import { Moorage, type Line } from './_processes.js'

const MIB = 1024 * 1024
const isFull = process.env['MOORAGE_FULL'] === '1'
/** With a small file the window is made small too, or five of them would be more than 1 %. */
const SIZE = isFull ? 1024 * MIB : 64 * MIB
const WINDOW = isFull ? [] : ['--window', '128k']
const SEED = Number(process.env['MOORAGE_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

async function makeFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'w')
  for (let at = 0; at < size; at += MIB) await file.write(randomBytes(MIB), 0, MIB, at)
  await file.close()
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: MIB })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return 0
    throw error
  }
}

test(`a transfer of ${SIZE / MIB} MiB survives five kill -9 of either end, and sends less than 1 % twice (seed ${SEED})`, async (context) => {
  const { from, to } = await folders(context)
  const source = join(from, 'big')
  const part = join(to, 'big.part')
  const endpoint = `unix:${join(from, 'socket')}`
  await makeFile(source, SIZE)
  const next = random(SEED)
  const places = Array.from({ length: 5 }, () => Math.floor(next() * SIZE)).sort((left, right) => left - right)
  const receive = async (): Promise<Moorage> => {
    const started = new Moorage(context, ['receive', endpoint, to])
    await started.event('listening')
    return started
  }
  const send = (): Moorage =>
    new Moorage(context, ['send', source, endpoint, '--retry', '20', '--idle', '3', ...WINDOW])

  const receivers = [await receive()]
  const senders = [send()]
  for (const [i, place] of places.entries()) {
    const [sender, receiver] = [senders.at(-1), receivers.at(-1)]
    assert.ok(sender !== undefined && receiver !== undefined)
    while (sizeOf(part) < place && !sender.isGone) await pause(1)
    assert.equal(sender.isGone, false, JSON.stringify(sender.lines))
    if (i % 2 === 0) {
      receiver.kill()
      await receiver.exited
      receivers.push(await receive())
    } else {
      sender.kill()
      await receiver.event('interrupted')
      senders.push(send())
    }
  }
  assert.deepEqual(await senders.at(-1)?.exited, { code: 0, signal: null }, JSON.stringify(senders.at(-1)?.lines))
  assert.equal(await sha256(join(to, 'big')), await sha256(source))
  assert.deepEqual(await readdir(to), ['big'])
  // Each broken run is told by the end that survived it: what a sender gave to its connection, whether it arrived or
  // not, and what a receiver got.
  const told = [...senders, ...receivers].flatMap(({ lines }) => lines)
  const received = receivers.flatMap(({ lines }) => lines.filter(({ event }) => event === 'finished'))
  const moved = sum(told.filter(({ event }) => event === 'interrupted' || event === 'finished')) - sum(received)
  const twice = moved - SIZE
  context.diagnostic(`sent twice: ${twice} bytes, ${((100 * twice) / SIZE).toFixed(3)} %`)
  assert.ok(twice >= 0 && twice < SIZE / 100, `${twice} bytes were sent twice`)
})

const sum = (lines: readonly Line[]): number =>
  lines.reduce((total, { transferredBytes }) => total + Number(transferredBytes), 0)
