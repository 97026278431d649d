import { randomUUID } from 'node:crypto'
import { tryParseMediaType } from 'moorage/engine/http'
import { HttpError, HttpResponse, json, parseBySchema, Routes, type HttpFunction, type HttpRequest } from 'moorage/http'
import { changed, checkConditions, tagOf } from './conditions.js'
import { mergePatch } from './merge-patch.js'
import { Note } from './note.js'
import { formatLinks, readPage } from './paging.js'
import { withProblems } from './problems.js'
import { Store, type Entry } from './store.js'

const MAX_NOTES = 1000
const MAX_BODY_BYTES = 64 * 1024
const ID = /^[a-z\d-]{1,64}$/

const store = new Store(MAX_NOTES)

const shown = (entry: Entry, status: number, headers: Record<string, string> = {}): HttpResponse =>
  json({ id: entry.id, ...entry.note }, { status, headers: { ETag: tagOf(entry), ...headers } })

const created = (request: HttpRequest, entry: Entry): HttpResponse =>
  shown(entry, 201, { Location: `${request.base}/notes/${entry.id}` })

function found(id: string): Entry {
  const entry = store.get(id)
  if (entry === undefined) throw new HttpError(404, 'There is no such note')
  return entry
}

/** @throws HttpError 409 for a title that another note has, 507 when there is no room. */
function keep(id: string, note: Note): Entry {
  const owner = store.idOf(note.title)
  if (owner !== undefined && owner !== id)
    throw new HttpError(409, 'Another note has this title', { extensions: { id: owner } })
  const entry = store.set(id, note)
  if (entry === undefined) throw new HttpError(507, `There is room for ${MAX_NOTES} notes`)
  return entry
}

/** @throws HttpError 415 for a body of another type, which `told` names the right one for. */
function expectType({ headers }: HttpRequest, subtype: string, told: string): void {
  const type = tryParseMediaType(headers.get('content-type') ?? '')
  if (type?.type !== 'application' || type.subtype !== subtype)
    throw new HttpError(415, `Send application/${subtype}`, { headers: { [told]: `application/${subtype}` } })
}

function readNote(request: HttpRequest): Promise<Note> {
  expectType(request, 'json', 'Accept')
  request.limitBody(MAX_BODY_BYTES)
  return request.json(Note)
}

const routes = new Routes()
  .get('/notes', (request) => {
    const { start, limit } = readPage(request)
    const page = store.page(start, limit)
    const notes = page.entries.map(({ id, note }) => ({ id, ...note }))
    return json({ notes }, { headers: formatLinks(request, page, limit) })
  })
  .post('/notes', async (request) => created(request, keep(randomUUID(), await readNote(request))))
  .get('/notes/:id', (request) => {
    const entry = found(request.params.id)
    return checkConditions(request, entry) ?? shown(entry, 200)
  })
  .put('/notes/:id', async (request) => {
    const { id } = request.params
    if (!ID.test(id)) throw new HttpError(400, 'An id is made of small letters, digits and hyphens')
    const note = await readNote(request)
    const known = store.get(id)
    checkConditions(request, known)
    const entry = keep(id, note)
    return known === undefined ? created(request, entry) : shown(entry, 200)
  })
  .patch('/notes/:id', async (request) => {
    expectType(request, 'merge-patch+json', 'Accept-Patch')
    request.limitBody(MAX_BODY_BYTES)
    const patch = await request.json()
    const entry = found(request.params.id)
    checkConditions(request, entry)
    const note = await parseBySchema(Note, mergePatch(entry.note, patch))
    // Somebody else may have been here while the schema was asked.
    const now = store.get(entry.id)
    if (now !== entry) throw changed(now)
    return shown(keep(entry.id, note), 200)
  })
  .delete('/notes/:id', (request) => {
    const entry = found(request.params.id)
    checkConditions(request, entry)
    store.delete(entry)
    return new HttpResponse(null, { status: 204 })
  })

/** Notes over HTTP, as JSON. Each process has notes of its own: run it under one. */
const rest: HttpFunction = withProblems(routes)
export default rest
