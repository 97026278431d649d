import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Allowance } from '#src/http/allowance.js'
import { hashPassword, withBasicAuth } from '#src/http/basic-auth.js'
import { text } from '#src/http/response.js'
import { serveHttp, type HttpServer } from '#src/http/server.js'
import { withCode } from '#src/testing/contract-row.js'

const TIMEOUT = { timeout: 30_000 }
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`

async function statusOf({ endpoint }: HttpServer, authorization?: string): Promise<number> {
  const answer = await fetch(endpoint, authorization === undefined ? {} : { headers: { authorization } })
  await answer.body?.cancel()
  return answer.status
}

suite('withBasicAuth', () => {
  test('lets in who has an account, at once when it is known, and nobody else', TIMEOUT, async () => {
    const accounts = { ann: await hashPassword('correct: hörse'), bob: await hashPassword('b') }
    let calls = 0
    const handler = withBasicAuth(() => text(`${(calls += 1)}`), accounts, { realm: 'the "files"' })
    await using server = await serveHttp('http://127.0.0.1:0', handler)
    const refused = await fetch(server.endpoint)
    assert.equal(refused.status, 401)
    assert.equal(refused.headers.get('www-authenticate'), String.raw`Basic realm="the \"files\"", charset="UTF-8"`)
    const wrong = ['ann:wrong', 'ann:', 'bob:correct: hörse', 'nobody:b', ':b', 'ann'].map(basic)
    for (const field of [...wrong, 'Bearer abc', 'Basic !!!', ''])
      assert.equal(await statusOf(server, field), 401, field)
    assert.equal(calls, 0)
    for (const pair of ['ann:correct: hörse', 'bob:b', 'ann:correct: hörse'])
      assert.equal(await statusOf(server, basic(pair)), 200)
    assert.equal(calls, 3)
  })
  test('bounds the guesses, and goes on letting in who is known', TIMEOUT, async () => {
    const handler = withBasicAuth(() => text(''), { ann: await hashPassword('right') })
    await using server = await serveHttp('http://127.0.0.1:0', handler)
    assert.equal(await statusOf(server, basic('ann:right')), 200)
    const guesses = Array.from({ length: 60 }, (_, i) => statusOf(server, basic(`ann:wrong${i}`)))
    const statuses = await Promise.all(guesses)
    assert.deepEqual([...new Set(statuses)].toSorted(), [401, 429])
    assert.ok(statuses.filter((status) => status === 401).length <= 20)
    assert.equal(await statusOf(server, basic('ann:right')), 200)
    // One that was wrong is not computed again, so it costs nobody a guess.
    const first = basic(`ann:wrong${statuses.indexOf(401)}`)
    assert.deepEqual(await Promise.all([first, first, first].map((field) => statusOf(server, field))), [401, 401, 401])
  })
  test('computes a password once for all who send it at the same time', TIMEOUT, async () => {
    const accounts = { ann: await hashPassword('right') }
    await using server = await serveHttp(
      'http://127.0.0.1:0',
      withBasicAuth(() => text(''), accounts),
    )
    for (const [pair, expected] of [
      ['ann:right', 200],
      ['ann:wrong', 401],
    ] as const) {
      const many = await Promise.all(Array.from({ length: 40 }, () => statusOf(server, basic(pair))))
      assert.deepEqual(new Set(many), new Set([expected]), pair)
    }
    // Each was one guess of the ten.
    const others = await Promise.all(Array.from({ length: 8 }, (_, i) => statusOf(server, basic(`ann:other${i}`))))
    assert.deepEqual(new Set(others), new Set([401]))
  })
  test('keeps a salted hash, and takes nothing else', TIMEOUT, async () => {
    const [one, other] = await Promise.all([hashPassword('same'), hashPassword('same')])
    assert.notEqual(one, other)
    assert.ok(!one.includes('same'))
    for (const accounts of [{}, { ann: 'same' }, { ann: 'scrypt::' }, { ann: `${one}x:` }])
      assert.throws(() => withBasicAuth(() => text(''), accounts), withCode('ERR_ARGUMENT'))
  })
})

suite('Allowance', () => {
  test('has ten for an address and then one a second, twenty for all and then five', () => {
    const allowance = new Allowance()
    const taken = (address: string, now: number): number => {
      let count = 0
      while (count < 100 && allowance.take(address, now)) count += 1
      return count
    }
    assert.deepEqual([taken('a', 0), taken('b', 0), taken('c', 0)], [10, 10, 0])
    assert.deepEqual([taken('a', 999), taken('a', 1000), taken('b', 1000), taken('c', 1000)], [0, 1, 1, 3])
    assert.deepEqual([taken('c', 1e9), taken('d', 1e9), taken('e', 1e9)], [10, 10, 0])
  })
  test('remembers a bounded number of addresses', () => {
    const allowance = new Allowance()
    for (let i = 0; i < 5000; i += 1) allowance.take(`address ${i}`, i * 1000)
    let count = 0
    while (allowance.take('address 0', 5e6)) count += 1
    assert.equal(count, 10)
  })
})
