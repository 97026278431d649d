import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { array, minLength, number, object, optional, pipe, string } from 'valibot'
import { HttpError, json } from '#src/http/response.js'
import { serveHttp } from '#src/http/server.js'
import { parseBySchema, type SchemaIssue, type StandardSchema } from '#src/http/standard-schema.js'
import { withFields } from '#src/http/wrapping.js'

const Boat = object({
  name: pipe(string(), minLength(1, 'A name is missing')),
  'a/b~c': optional(number(), 7),
  crew: optional(array(object({ age: number('An age is a number') })), []),
})

/** One of our own, which finds these whatever it gets. */
const finding = (issues: readonly SchemaIssue[]): StandardSchema<never> => ({
  '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) },
})

const refusal = async (schema: StandardSchema, value: unknown): Promise<HttpError> => {
  try {
    await parseBySchema(schema, value)
  } catch (error) {
    assert.ok(error instanceof HttpError)
    assert.equal(error.status, 400)
    return error
  }
  return assert.fail('nothing was thrown')
}

suite('parseBySchema', () => {
  test('gives what the schema makes of the value, with its type', async () => {
    const boat = await parseBySchema(Boat, { name: 'Ann', other: true })
    const name: string = boat.name
    assert.equal(name, 'Ann')
    assert.deepEqual(boat, { name: 'Ann', 'a/b~c': 7, crew: [] })
  })

  test('tells all that is wrong, and where', async () => {
    const { extensions, message } = await refusal(Boat, { name: '', 'a/b~c': 1, crew: [{ age: 1 }, { age: 'x' }] })
    assert.deepEqual(extensions, {
      errors: [
        { detail: 'A name is missing', pointer: '#/name' },
        { detail: 'An age is a number', pointer: '#/crew/1/age' },
      ],
    })
    assert.equal(message, '#/name: A name is missing\n#/crew/1/age: An age is a number')
  })

  const pointers: readonly (readonly [name: string, path: SchemaIssue['path'], pointer: string])[] = [
    ['no path', undefined, '#'],
    ['an empty path', [], '#'],
    ['keys as they are', ['a', 0], '#/a/0'],
    ['keys in objects', [{ key: 'a' }, { key: 0 }], '#/a/0'],
    ['an empty key', [''], '#/'],
    ['a tilde and a slash', ['a/b~c'], '#/a~1b~0c'],
    ['what is no part of a fragment', ['a b#ü'], '#/a%20b%23%C3%BC'],
  ]
  for (const [name, path, pointer] of pointers) {
    test(`points to ${name}`, async () => {
      const { extensions } = await refusal(finding([{ message: 'wrong', path }]), null)
      assert.deepEqual(extensions, { errors: [{ detail: 'wrong', pointer }] })
    })
  }

  test('tells at most 100 of them', async () => {
    for (const [count, told] of [
      [100, 100],
      [101, 100],
    ] as const) {
      const issues = Array.from({ length: count }, (_, i) => ({ message: `wrong ${i}` }))
      const { extensions } = await refusal(finding(issues), null)
      assert.equal((extensions?.['errors'] as unknown[] | undefined)?.length, told)
    }
  })

  test('waits for a schema that needs time, and passes on what one throws', async () => {
    const later: StandardSchema<number> = {
      '~standard': { version: 1, vendor: 'test', validate: (value) => Promise.resolve({ value: Number(value) + 1 }) },
    }
    assert.equal(await parseBySchema(later, '1'), 2)
    const error = new Error('its own')
    const broken: StandardSchema = {
      '~standard': {
        ...{ version: 1, vendor: 'test' },
        validate: () => {
          throw error
        },
      },
    }
    await assert.rejects(parseBySchema(broken, 1), (thrown) => thrown === error)
  })
})

test('request.json(schema) answers 400 with problem details, also within withFields', { timeout: 30_000 }, async () => {
  const handler = withFields(async (request) => json((await request.json(Boat)).name), { 'X-Around': 'yes' })
  await using server = await serveHttp('http://127.0.0.1:0', handler)
  const post = (body: string, accept: string): Promise<Response> =>
    fetch(server.endpoint, { method: 'POST', body, headers: { Accept: accept } })
  assert.equal(await (await post('{"name":"Ann"}', '*/*')).json(), 'Ann')
  const refused = await post('{"name":""}', 'application/json')
  assert.equal(refused.headers.get('content-type'), 'application/problem+json')
  assert.equal(refused.headers.get('x-around'), 'yes')
  assert.deepEqual(await refused.json(), {
    errors: [{ detail: 'A name is missing', pointer: '#/name' }],
    title: 'Bad Request',
    status: 400,
    detail: '#/name: A name is missing',
  })
  assert.equal(await (await post('{"name":""}', 'text/plain')).text(), '#/name: A name is missing\n')
  assert.equal((await post('{"name"', '*/*')).status, 400)
})

test('extensions never replace what the status says', { timeout: 30_000 }, async () => {
  const handler = (): never => {
    throw new HttpError(409, 'Taken', { extensions: { status: 200, title: 'Fine', by: 'Ann' } })
  }
  await using server = await serveHttp('http://127.0.0.1:0', handler)
  const answer = await fetch(server.endpoint, { headers: { Accept: 'application/json' } })
  assert.deepEqual(await answer.json(), { status: 409, title: 'Conflict', by: 'Ann', detail: 'Taken' })
})
