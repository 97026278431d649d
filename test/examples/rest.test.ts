import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serveHttp, type HttpServer } from 'moorage/http'
import { Program } from '../fixtures/program.js'
import { example } from '../fixtures/example.js'

const run = promisify(execFile)
const TIMEOUT = { timeout: 30_000 }

const JSON_TYPE = 'application/json'
const MERGE = 'application/merge-patch+json'

interface Note {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly tags: readonly string[]
}

let server: HttpServer
let url: string

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': JSON_TYPE }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })

const noteOf = async (answer: Response): Promise<Note> => (await answer.json()) as Note
const tagOf = (answer: Response): string => answer.headers.get('etag') ?? assert.fail('it has no entity tag')

let count = 0
/** A title that no other note has. */
const title = (): string => `Note ${(count += 1)}`

async function created(): Promise<{ readonly path: string; readonly tag: string; readonly note: Note }> {
  const answer = await send('POST', '/notes', { title: title() })
  assert.equal(answer.status, 201)
  return { path: answer.headers.get('location') ?? '', tag: tagOf(answer), note: await noteOf(answer) }
}

interface SeenPage {
  readonly ids: readonly string[]
  readonly previous: string | undefined
  readonly next: string | undefined
}

async function pageOf(path: string): Promise<SeenPage> {
  const answer = await send('GET', path)
  const link = answer.headers.get('link') ?? ''
  const { notes } = (await answer.json()) as { readonly notes: readonly Note[] }
  const linkOf = (rel: string): string | undefined => new RegExp(`<([^>]*)>; rel="${rel}"`).exec(link)?.[1]
  return { ids: notes.map(({ id }) => id), previous: linkOf('prev'), next: linkOf('next') }
}

async function pagesFrom(path: string): Promise<readonly SeenPage[]> {
  const pages: SeenPage[] = []
  for (let next: string | undefined = path; next !== undefined; next = pages.at(-1)?.next)
    pages.push(await pageOf(next))
  return pages
}

/** What is refused is a problem, which says so. */
async function problemOf(answer: Response, status: number): Promise<Readonly<Record<string, unknown>>> {
  const text = await answer.text()
  assert.equal(answer.status, status, text)
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  const problem = JSON.parse(text) as Readonly<Record<string, unknown>>
  assert.equal(problem['status'], status)
  return problem
}

/** The notes of the service, as they come with this module, behind a server of this test. */
suite('the example rest', () => {
  before(async () => {
    const { default: rest } = await import('../../examples/rest/rest.js')
    server = await serveHttp('http://127.0.0.1:0', rest)
    url = server.endpoint
  })
  after(() => server.close())

  test('POST makes a note, with its address and its version', TIMEOUT, async () => {
    const answer = await send('POST', '/notes', { title: '  Buy rope ', tags: ['boat'] })
    assert.equal(answer.status, 201)
    const { id, ...note } = await noteOf(answer)
    assert.equal(answer.headers.get('location'), `/notes/${id}`)
    assert.deepEqual(note, { title: 'Buy rope', text: '', tags: ['boat'] })
    const read = await send('GET', `/notes/${id}`)
    assert.equal(tagOf(read), tagOf(answer))
    assert.deepEqual(await noteOf(read), { id, ...note })
  })

  test('400 tells all that is wrong with a note', TIMEOUT, async () => {
    const { errors } = await problemOf(await send('POST', '/notes', { title: ' ', tags: ['A B'], more: 1 }), 400)
    const pointers = (errors as { readonly pointer: string }[]).map(({ pointer }) => pointer)
    assert.deepEqual(pointers.toSorted(), ['#/more', '#/tags/0', '#/title'])
    await problemOf(await send('POST', '/notes', '{"title":'), 400)
    await problemOf(await send('POST', '/notes', 'null'), 400)
  })

  test('404, 405, 409, 413 and 415 are problems too', TIMEOUT, async () => {
    await problemOf(await send('GET', '/notes/none'), 404)
    await problemOf(await send('GET', '/other'), 404)
    const refused = await send('DELETE', '/notes')
    assert.equal(refused.headers.get('allow'), 'GET, POST, HEAD, OPTIONS')
    await problemOf(refused, 405)
    const { note } = await created()
    assert.equal((await problemOf(await send('POST', '/notes', { title: note.title }), 409))['id'], note.id)
    await problemOf(await send('POST', '/notes', { title: title(), text: 'x'.repeat(65_536) }), 413)
    const typed = await send('POST', '/notes', 'title=a', { 'Content-Type': 'application/x-www-form-urlencoded' })
    assert.equal(typed.headers.get('accept'), JSON_TYPE)
    await problemOf(typed, 415)
  })

  test('a change needs a condition, and the version that is there', TIMEOUT, async () => {
    const { path, tag, note } = await created()
    const changed = { title: note.title, text: 'changed' }
    await problemOf(await send('PUT', path, changed), 428)
    await problemOf(await send('DELETE', path), 428)
    await problemOf(await send('PATCH', path, {}, { 'Content-Type': MERGE }), 428)
    const replaced = await send('PUT', path, changed, { 'If-Match': tag })
    assert.equal(replaced.status, 200)
    assert.notEqual(tagOf(replaced), tag)
    const late = await send('PUT', path, { title: note.title }, { 'If-Match': tag })
    assert.equal(tagOf(late), tagOf(replaced), 'the version that is there is told')
    await problemOf(late, 412)
    assert.equal((await noteOf(await send('GET', path))).text, 'changed')
    await problemOf(await send('DELETE', path, undefined, { 'If-Match': tag }), 412)
    assert.equal((await send('DELETE', path, undefined, { 'If-Match': tagOf(replaced) })).status, 204)
    await problemOf(await send('GET', path), 404)
  })

  test('PUT with If-None-Match: * makes a note, and never replaces one', TIMEOUT, async () => {
    const note = { title: title() }
    const first = await send('PUT', '/notes/my-own', note, { 'If-None-Match': '*' })
    assert.deepEqual([first.status, first.headers.get('location')], [201, '/notes/my-own'])
    await problemOf(await send('PUT', '/notes/my-own', note, { 'If-None-Match': '*' }), 412)
    await problemOf(await send('PUT', '/notes/other', note, { 'If-Match': '*' }), 412)
    await problemOf(await send('PUT', '/notes/Not%20Mine', note, { 'If-None-Match': '*' }), 400)
    await problemOf(await send('PUT', '/notes/other', note, { 'If-None-Match': '*' }), 409)
    const gone = await send('DELETE', '/notes/my-own', undefined, { 'If-Match': '*' })
    assert.equal(gone.status, 204)
    const again = await send('PUT', '/notes/my-own', note, { 'If-None-Match': '*' })
    assert.notEqual(tagOf(again), tagOf(first), 'a version has a tag of its own')
  })

  test('PATCH merges: members replace, null removes, the rest stays', TIMEOUT, async () => {
    const { path, note } = await created()
    const patch = (body: unknown, type: string = MERGE): Promise<Response> =>
      send('PATCH', path, body, { 'If-Match': '*', 'Content-Type': type })
    assert.deepEqual(await noteOf(await patch({ text: 'more', tags: ['a'] })), { ...note, text: 'more', tags: ['a'] })
    assert.deepEqual(await noteOf(await patch({ text: null })), { ...note, tags: ['a'] })
    assert.equal((await problemOf(await patch({ title: null }), 400))['detail'] !== undefined, true)
    await problemOf(await patch([]), 400)
    await problemOf(await patch('{"__proto__":{"title":"x"}}'), 400)
    await problemOf(await patch('{"a":'.repeat(12_000) + '1' + '}'.repeat(12_000)), 413)
    await problemOf(await patch('{"a":'.repeat(8000) + '1' + '}'.repeat(8000)), 400)
    const typed = await patch({}, JSON_TYPE)
    assert.equal(typed.headers.get('accept-patch'), MERGE)
    await problemOf(typed, 415)
    assert.deepEqual(await noteOf(await send('GET', path)), { ...note, tags: ['a'] })
  })

  test('GET is 304 for who has the version, HEAD has the fields, OPTIONS the methods', TIMEOUT, async () => {
    const { path, tag } = await created()
    const unchanged = await send('GET', path, undefined, { 'If-None-Match': tag })
    assert.deepEqual([unchanged.status, await unchanged.text(), tagOf(unchanged)], [304, '', tag])
    assert.equal((await send('GET', path, undefined, { 'If-None-Match': '"other"' })).status, 200)
    const head = await send('HEAD', path)
    assert.deepEqual([head.status, await head.text(), tagOf(head)], [200, '', tag])
    const options = await send('OPTIONS', path)
    assert.equal(options.headers.get('allow'), 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS')
  })

  test('a title is free again when its note has another, or is gone', TIMEOUT, async () => {
    const { path, note } = await created()
    const other = title()
    assert.equal((await send('PUT', path, { title: other }, { 'If-Match': '*' })).status, 200)
    assert.equal((await send('POST', '/notes', { title: note.title })).status, 201)
    await problemOf(await send('POST', '/notes', { title: other }), 409)
    assert.equal((await send('DELETE', path, undefined, { 'If-Match': '*' })).status, 204)
    assert.equal((await send('POST', '/notes', { title: other })).status, 201)
  })

  test('pages are linked both ways, whatever is changed or removed meanwhile', TIMEOUT, async () => {
    const all: string[] = []
    for (let i = 0; i < 5; i += 1) all.push((await created()).note.id)
    const [first = '', second = ''] = all.slice(-5)
    assert.equal((await send('PUT', `/notes/${second}`, { title: title() }, { 'If-Match': '*' })).status, 200)
    const pages = await pagesFrom('/notes?limit=2')
    assert.ok(pages.slice(0, -1).every(({ ids }) => ids.length === 2))
    const seen = pages.flatMap(({ ids }) => ids)
    assert.deepEqual(seen.slice(-5), all, 'a note that is changed keeps its place')
    assert.equal(new Set(seen).size, seen.length)
    assert.equal(pages[0]?.previous, undefined)
    for (const [i, { previous }] of pages.slice(1).entries())
      assert.deepEqual((await pageOf(previous ?? '')).ids, pages[i]?.ids)
    const before = pages.findIndex(({ ids }) => ids.includes(first)) - 1
    await send('DELETE', `/notes/${first}`, undefined, { 'If-Match': '*' })
    const rest = await pagesFrom(pages[before]?.next ?? '')
    const expected = seen.slice((before + 1) * 2).filter((id) => id !== first)
    assert.deepEqual(
      rest.flatMap(({ ids }) => ids),
      expected,
    )
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=c1', 'cursor=a'])
      await problemOf(await send('GET', `/notes?${query}`), 400)
    assert.equal((await send('GET', '/notes?limit=100')).status, 200)
  })

  test('no more notes are kept than there is room for', TIMEOUT, async () => {
    let answer = await send('POST', '/notes', { title: title() })
    for (let i = 0; answer.status === 201 && i < 1000; i += 1) {
      await answer.arrayBuffer()
      answer = await send('POST', '/notes', { title: title() })
    }
    await problemOf(answer, 507)
    const { notes } = (await (await send('GET', '/notes?limit=1')).json()) as { readonly notes: readonly Note[] }
    assert.equal((await send('DELETE', `/notes/${notes[0]?.id}`, undefined, { 'If-Match': '*' })).status, 204)
    assert.equal((await send('POST', '/notes', { title: title() })).status, 201)
  })
})

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const module = fileURLToPath(new URL('../../examples/rest/rest.js', import.meta.url))

test('the example rest runs by its start and under moorage run, and answers curl', TIMEOUT, async (context) => {
  const programs = [
    example(context, 'rest/start', ['http://127.0.0.1:0']),
    new Program(context, process.execPath, [main, 'run', module, 'http://127.0.0.1:0']),
  ]
  for (const program of programs) {
    const address = `${(await program.endpoint()).replace(/\/$/, '')}/notes`
    const curl = async (...args: readonly string[]): Promise<string> =>
      (await run('curl', ['-sS', '--noproxy', '*', '-w', '%{http_code}', ...args])).stdout
    assert.match(await curl(address, '--json', '{"title":"Buy rope"}'), /"title":"Buy rope".*201$/)
    assert.match(await curl(address, '--json', '{"title":""}'), /"pointer":"#\/title".*400$/)
    assert.match(
      await curl(`${address}/first`, '-X', 'PUT', '-H', 'If-None-Match: *', '--json', '{"title":"First"}'),
      /"id":"first".*201$/,
    )
    assert.match(await curl('-i', `${address}?limit=1`), /^Link: <\/notes\?limit=1&cursor=a1>; rel="next"\r$/m)
    assert.deepEqual(await program.stop(), { code: 0, signal: null })
  }
})
