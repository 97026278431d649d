import assert from 'node:assert/strict'
import { test } from 'node:test'
import { within } from '#src/testing/contract-row.js'
import { connect, type Connection } from 'moorage'
import { example } from '../fixtures/example.js'

async function join(endpoint: string, name: string): Promise<Connection> {
  const connection = await connect(endpoint)
  await hear(connection, /What is your name/)
  await connection.write(`${name}\n`)
  await hear(connection, /^\* you are in lobby/)
  return connection
}

/** The next line that matches; those before are passed over. */
async function hear(connection: Connection, pattern: RegExp): Promise<string> {
  const search = async (): Promise<string> => {
    for (;;) {
      const line = await connection.readLine({ keepEnd: false })
      if (line === null) throw new Error(`The chat ended before ${String(pattern)}`)
      if (pattern.test(line)) return line
    }
  }
  return within(String(pattern), search())
}

test('chat carries lines between members of a room, with /who, /nick, /join and /rooms', async (context) => {
  const program = example(context, 'chat/start', ['tcp://127.0.0.1:0', 'http://127.0.0.1:0'])
  const endpoint = await program.endpoint()
  const ann = await join(endpoint, 'ann')
  const bob = await join(endpoint, 'bob')
  await hear(ann, /^\* bob joined$/)
  await bob.write('hello \u001b[31m\u0007red\n')
  assert.equal(await hear(ann, /^bob: /), 'bob: hello ?[31m?red', 'control characters are replaced')
  await ann.write('/who\n')
  assert.equal(await hear(ann, /^\* here are/), '* here are ann, bob')
  await bob.write('/nick carl\n')
  assert.equal(await hear(ann, /is now/), '* bob is now carl')
  await ann.write('/nick carl\n')
  await hear(ann, /^\* that name will not do/)
  await bob.write('/join garden\n')
  await hear(ann, /^\* carl left/)
  await hear(bob, /^\* you are in garden, with carl$/)
  await ann.write('nobody hears this\n/rooms\n')
  assert.equal(await hear(ann, /^\* rooms:/), '* rooms: garden, lobby')
  await bob.write('/quit\n')
  assert.equal(await within('the end', bob.readLine()), null)
  ann.destroy()
  assert.deepEqual(await program.stop(), { code: 0, signal: null })
})

test('chat shows a late joiner the last 100 lines', async (context) => {
  const endpoint = await example(context, 'chat/start', ['tcp://127.0.0.1:0', 'http://127.0.0.1:0']).endpoint()
  const ann = await join(endpoint, 'ann')
  await ann.write(Array.from({ length: 120 }, (_, i) => `line ${i + 1}\n`).join('') + '/who\n')
  await hear(ann, /^\* here are/)
  const bob = await join(endpoint, 'bob')
  const lines: string[] = []
  for (let i = 0; i < 100; i += 1) lines.push(await hear(bob, /^ann: /))
  assert.deepEqual([lines[0], lines.at(-1)], ['ann: line 21', 'ann: line 120'])
  await bob.write('/who\n')
  assert.equal(await within('what follows', bob.readLine({ keepEnd: false })), '* here are ann, bob')
})

test('chat keeps the room and its history when a lone member takes another name', async (context) => {
  const endpoint = await example(context, 'chat/start', ['tcp://127.0.0.1:0', 'http://127.0.0.1:0']).endpoint()
  const ann = await join(endpoint, 'ann')
  await ann.write('/join garden\n')
  await hear(ann, /^\* you are in garden/)
  await ann.write('said before\n/nick anna\n/nick anna\n/nick\n/who\n')
  assert.equal(await hear(ann, /is now/), '* ann is now anna')
  await hear(ann, /^\* that name will not do/)
  await hear(ann, /^\* that name will not do/)
  assert.equal(await hear(ann, /^\* here are/), '* here are anna')
  const bob = await join(endpoint, 'bob')
  await bob.write('/join garden\n')
  assert.equal(await hear(bob, /^\* you are in garden/), '* you are in garden, with anna, bob')
  assert.equal(await within('the history', bob.readLine()), 'ann: said before\n')
  await hear(ann, /^\* bob joined/)
  await bob.write('hello\n')
  assert.equal(await hear(ann, /^bob:/), 'bob: hello')
  await ann.write('/quit\n')
  await hear(bob, /^\* anna left/)
})

test('chat drops a reader that is too slow, and the others go on', async (context) => {
  const endpoint = await example(context, 'chat/start', ['tcp://127.0.0.1:0', 'http://127.0.0.1:0']).endpoint()
  const ann = await join(endpoint, 'ann')
  const bob = await join(endpoint, 'bob')
  const slow = await join(endpoint, 'slow')
  await hear(bob, /^\* slow joined$/)
  const flood = `${'x'.repeat(4000)}\n`.repeat(50)
  // One who keeps up, round by round.
  for (let heard = ''; heard !== '* slow left';) {
    await ann.write(`${flood}all of it\n`)
    heard = await hear(bob, /^\* slow left$|^ann: all of it$/)
  }
  await ann.write('still here\n')
  assert.equal(await hear(bob, /still here/), 'ann: still here')
  slow.destroy()
})

for (const model of ['threads', 'processes']) {
  test(`chat under ${model}: users of two workers are in one room`, { timeout: 60_000 }, async (context) => {
    const endpoint = await example(context, 'chat/start', [
      'tcp://127.0.0.1:0',
      'http://127.0.0.1:0',
      '--model',
      model,
    ]).endpoint()
    const names = ['ann', 'bob', 'carl', 'dora', 'ed', 'fay']
    const users = new Map<string, Connection>()
    for (const name of names) users.set(name, await join(endpoint, name))
    const [ann, bob] = [users.get('ann'), users.get('bob')]
    assert.ok(ann !== undefined && bob !== undefined)
    await hear(ann, /^\* fay joined$/)
    await ann.write('/who\n')
    assert.equal(await hear(ann, /^\* here are/), `* here are ${names.join(', ')}`)
    // All at once.
    for (const [name, user] of users)
      await user.write(Array.from({ length: 15 }, (_, i) => `${name} says ${i}\n`).join(''))
    const others = names.length - 1
    const heard = await Promise.all(
      Array.from(users, async ([name, user]) => {
        const lines: string[] = []
        while (lines.length < others * 15) lines.push(await hear(user, / says /))
        return [name, lines] as const
      }),
    )
    const late = await join(endpoint, 'gil')
    const past: string[] = []
    while (past.length < names.length * 15) past.push(await hear(late, / says /))
    for (const [name, lines] of heard)
      assert.deepEqual(
        lines,
        past.filter((line) => !line.startsWith(`${name}: `)),
        `${name} has heard the others in the order of the room`,
      )
    // Names are refused and taken across workers.
    for (const name of names.slice(1)) {
      await ann.write(`/nick ${name}\n`)
      await hear(ann, /^\* that name will not do/)
    }
    await ann.write('/nick anna\n')
    for (const user of users.values()) assert.equal(await hear(user, /is now/), '* ann is now anna')
    await ann.write('/join garden\n')
    for (const [name, user] of users) if (name !== 'ann') await hear(user, /^\* anna left/)
    await bob.write('/rooms\n')
    assert.equal(await hear(bob, /^\* rooms/), '* rooms: garden, lobby')
    for (const user of [...users.values(), late]) user.destroy()
  })
}
