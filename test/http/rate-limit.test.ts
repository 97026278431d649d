import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get } from 'moorage/client'
import { serveHttp, text, withRateLimit } from 'moorage/http'
import { MemoryBroker } from 'moorage/pubsub'

const HOUR_MS = 3_600_000

test('as many requests as are allowed are answered, and each answer says what is left', async () => {
  await using broker = new MemoryBroker()
  const limiter = broker.limiter('pages', { limit: 2, perMs: HOUR_MS })
  await using server = await serveHttp(
    'http://127.0.0.1:0',
    withRateLimit(() => text('here'), limiter),
  )
  const answers = []
  for (let i = 0; i < 3; i += 1) {
    const response = await get(server.endpoint)
    await response.text()
    answers.push([response.status, response.headers.get('ratelimit'), response.headers.get('ratelimit-policy')])
  }
  assert.deepEqual(answers, [
    [200, '"pages";r=1;t=1800', '"pages";q=2;w=3600'],
    [200, '"pages";r=0;t=3600', '"pages";q=2;w=3600'],
    [429, '"pages";r=0;t=3600', '"pages";q=2;w=3600'],
  ])
  const refused = await get(server.endpoint)
  const waitSeconds = Number(refused.headers.get('retry-after'))
  assert.ok(waitSeconds > 1790 && waitSeconds <= 1800, `${waitSeconds}`)
  assert.match(await refused.text(), /Too many requests/)
})

test('whose rate it is, and how much a request takes, can be said; without a key nothing is counted', async () => {
  await using broker = new MemoryBroker()
  const limiter = broker.limiter('api', { limit: 5, perMs: HOUR_MS })
  const handler = withRateLimit(() => text('here'), limiter, {
    key: ({ headers }) => headers.get('x-api-key'),
    cost: ({ method }) => (method === 'GET' ? 4 : 100),
  })
  await using server = await serveHttp('http://127.0.0.1:0', handler)
  const status = async (headers: Record<string, string>): Promise<number> => {
    const response = await get(server.endpoint, { headers })
    await response.text()
    return response.status
  }
  assert.deepEqual(
    [await status({ 'x-api-key': 'a' }), await status({ 'x-api-key': 'a' }), await status({ 'x-api-key': 'b' })],
    [200, 429, 200],
  )
  for (let i = 0; i < 6; i += 1) assert.equal(await status({}), 200)
})

test('while the broker is away requests are refused with 503, or answered where that is wanted', async () => {
  const broker = new MemoryBroker()
  const limiter = broker.limiter('pages', { limit: 1, perMs: HOUR_MS })
  await broker.close()
  for (const [allowWhenAway, expected] of [
    [false, 503],
    [true, 200],
  ] as const) {
    await using server = await serveHttp(
      'http://127.0.0.1:0',
      withRateLimit(() => text('here'), limiter, { allowWhenAway }),
    )
    assert.equal((await get(server.endpoint)).status, expected)
  }
})
