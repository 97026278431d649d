import { HttpError, HttpResponse } from '../../http/response.js'
import type { HttpRequest } from '../../http/request.js'
import { formatLimits, parseReprDigest, readBoolean, readInteger } from './fields.js'
import type { UploadFolder } from './folder.js'
import { addressName, partName } from './names.js'
import type { UploadSettings } from './options.js'
import { UploadPart } from './part.js'
import { Hold, makeRoomForPartial, readState, removePartial, writeState, type PartialState } from './partials.js'
import { conditionsOf, publish } from './publish.js'
import { newUploadId } from './store.js'

/** The media type of a piece of an upload. */
export const PARTIAL_TYPE = 'application/partial-upload'

/** What each step of an upload works on. */
interface Step {
  readonly request: HttpRequest
  readonly folder: UploadFolder
  readonly id: string
  readonly hold: Hold
  readonly state: PartialState
  readonly settings: UploadSettings
  readonly onDone: (id: string) => void
}

/** What is the same for all uploads of a folder. */
export interface Kept {
  readonly settings: UploadSettings
  /** Called when an upload is complete: what is kept of it can go a while later. */
  readonly onDone: (id: string) => void
}

/**
 * Begins an upload that can go on after an interruption (draft-ietf-httpbis-resumable-upload-12, Upload Creation): any
 * request that has Upload-Complete. `address` is the path of the folder, below which the upload gets its own.
 * @throws HttpError 400, 409, 412, 413, 503, 507.
 */
export async function createUpload(
  request: HttpRequest,
  folder: UploadFolder,
  { name, address }: { readonly name: string; readonly address: string },
  { settings, onDone }: Kept,
): Promise<HttpResponse> {
  const length = lengthOf(request, 0, undefined)
  if (length instanceof HttpResponse) return length
  if (length !== undefined && length > settings.maxFileBytes)
    throw new HttpError(413, `The file has more than ${settings.maxFileBytes} bytes`)
  const digest = request.headers.get('repr-digest')
  parseReprDigest(digest)
  await makeRoomForPartial(folder, settings)
  const id = newUploadId()
  const state: PartialState = { name, length, digest, conditions: conditionsOf(request.headers), stage: 'open' }
  const hold = await Hold.take(folder, id)
  try {
    const part = await UploadPart.create(folder, partName(id), limitsOf(state, settings))
    try {
      await part.checkRoom(length ?? 0)
      await writeState(folder, id, state)
    } catch (error) {
      await part.discard()
      throw error
    }
    const location = { Location: address + addressName(id), 'Upload-Limit': formatLimits(settings) }
    request.inform(104, location)
    const answer = await append({ request, folder, id, hold, state, settings, onDone }, part)
    return answer ?? new HttpResponse(null, { status: 201, headers: { ...location, ...progress(part, false) } })
  } finally {
    await hold.release()
  }
}

/** HEAD, PATCH or DELETE of an upload. @throws HttpError. */
export async function answerUpload(
  request: HttpRequest,
  folder: UploadFolder,
  id: string,
  { settings, onDone }: Kept,
): Promise<HttpResponse> {
  // Asked first, so that no lock is made for what is not there.
  if ((await readState(folder, id)) === undefined) throw new HttpError(404)
  const hold = await Hold.take(folder, id)
  try {
    const state = await settledState(folder, id)
    if (state === undefined) throw new HttpError(404)
    const step = { request, folder, id, hold, state, settings, onDone }
    switch (request.method) {
      case 'DELETE':
        await removePartial(folder, id)
        return new HttpResponse(null, { status: 204 })
      case 'PATCH':
        return await patch(step)
      default:
        return await tell(step)
    }
  } finally {
    await hold.release()
  }
}

/** What became of an upload that was about to get its name when the process ended. */
async function settledState(folder: UploadFolder, id: string): Promise<PartialState | undefined> {
  const state = await readState(folder, id)
  if (state?.stage === 'done') return state
  const part = await folder.look(partName(id))
  if (state === undefined || (!part.exists && state.stage === 'open')) return undefined
  if (state.stage === 'open') return state
  // One with two names has got its name, but for the removal of this one.
  if (part.exists && part.links === 1) return { ...state, stage: 'open' }
  const done: PartialState = { ...state, stage: 'done' }
  await folder.remove(partName(id))
  await writeState(folder, id, done)
  return done
}

/** Offset Retrieval. */
async function tell({ folder, id, state, settings }: Step): Promise<HttpResponse> {
  const isDone = state.stage === 'done'
  const part = isDone ? undefined : await UploadPart.reopen(folder, partName(id), limitsOf(state, settings))
  // What is told is not asked for again: it is on the disk.
  await part?.flush()
  await part?.keep()
  const headers = {
    'Upload-Offset': String(part?.size ?? state.length ?? 0),
    'Upload-Complete': isDone ? '?1' : '?0',
    ...(state.length === undefined ? {} : { 'Upload-Length': String(state.length) }),
    'Upload-Limit': formatLimits(settings),
    'Cache-Control': 'no-store',
  }
  return new HttpResponse(null, { status: 204, headers })
}

/** Upload Append. */
async function patch(step: Step): Promise<HttpResponse> {
  const { request, folder, id, settings, state } = step
  const { headers } = request
  if (headers.get('content-type')?.toLowerCase() !== PARTIAL_TYPE)
    throw new HttpError(415, `A piece of an upload has the type ${PARTIAL_TYPE}`, {
      headers: { 'Accept-Patch': PARTIAL_TYPE },
    })
  const offset = readInteger(headers.get('upload-offset'))
  if (offset === undefined || readBoolean(headers.get('upload-complete')) === undefined)
    throw new HttpError(400, 'A piece of an upload has the fields Upload-Offset and Upload-Complete')
  if (state.stage === 'done')
    return problem(400, 'completed-upload', 'The upload is complete', {}, { 'Upload-Complete': '?1' })
  const length = lengthOf(request, offset, state.length)
  if (length instanceof HttpResponse) return length
  const now = { ...state, length, digest: state.digest ?? headers.get('repr-digest') }
  parseReprDigest(now.digest)
  const part = await UploadPart.reopen(folder, partName(id), limitsOf(now, settings))
  const { size } = part
  if (offset !== size) {
    await part.keep()
    const facts = { 'expected-offset': size, 'provided-offset': offset }
    return problem(409, 'mismatching-upload-offset', 'The upload is at another offset', facts, progress(part, false))
  }
  try {
    await part.checkRoom(readInteger(headers.get('content-length')) ?? 0)
  } catch (error) {
    await part.keep()
    throw error
  }
  if (length !== state.length || now.digest !== state.digest) await writeState(folder, id, now)
  const answer = await append({ ...step, state: now }, part)
  return answer ?? new HttpResponse(null, { status: 204, headers: progress(part, false) })
}

/** Takes what the request has; `undefined` when that was not the last of it. What came is kept, whatever happens. */
async function append(step: Step, part: UploadPart): Promise<HttpResponse | undefined> {
  const { request, hold, folder, id, state, settings } = step
  const isLast = readBoolean(request.headers.get('upload-complete')) === true
  try {
    request.limitBody(Math.max(0, settings.maxFileBytes - part.size))
    const tellProgress = (size: number): void => request.inform(104, { 'Upload-Offset': String(size) })
    if (request.body !== undefined) await part.take(hold.reading(request.body), tellProgress)
  } catch (error) {
    await part.keep()
    if (!(error instanceof HttpError) || error.status !== 413) throw error
    await removePartial(folder, id)
    if (state.length === undefined || state.length >= settings.maxFileBytes) throw error
    return inconsistent('More came than the upload has')
  }
  if (!isLast) {
    await part.flush()
    await part.keep()
    return undefined
  }
  if (state.length !== undefined && part.size !== state.length) {
    await part.keep()
    return inconsistent('Less came than the upload has')
  }
  return finish(step, part)
}

/** All of it is there. What fails now is final: the upload is gone, and the old file whole. */
async function finish({ folder, id, state, settings, onDone }: Step, part: UploadPart): Promise<HttpResponse> {
  const { name, conditions, digest } = state
  const done = { ...state, length: part.size }
  try {
    await part.check(parseReprDigest(digest))
    await part.finish()
    await writeState(folder, id, { ...done, stage: 'finishing' })
    const { isNew, etag } = await publish(folder, part.name, name, conditions, settings.overwrite)
    await writeState(folder, id, { ...done, stage: 'done' })
    onDone(id)
    return new HttpResponse(null, { status: isNew ? 201 : 204, headers: { ETag: etag, ...progress(part, true) } })
  } catch (error) {
    await part.keep()
    // A disk that is full may have room again: it can be finished then.
    if (!(error instanceof HttpError) || error.status === 507) throw error
    await removePartial(folder, id)
    throw new HttpError(error.status, error.message, { headers: { 'Upload-Complete': '?1' }, cause: error })
  }
}

const limitsOf = (
  { length }: PartialState,
  { maxFileBytes, minFreeBytes }: UploadSettings,
): { readonly maxBytes: number; readonly minFreeBytes: number } => ({ maxBytes: length ?? maxFileBytes, minFreeBytes })

const progress = ({ size }: UploadPart, isComplete: boolean): Readonly<Record<string, string>> => ({
  'Upload-Offset': String(size),
  'Upload-Complete': isComplete ? '?1' : '?0',
})

/** How long the upload is to be, by all that was said of it; an answer when that contradicts itself. */
function lengthOf(
  { headers, body }: HttpRequest,
  offset: number,
  known: number | undefined,
): number | undefined | HttpResponse {
  const isLast = readBoolean(headers.get('upload-complete')) === true
  const told = readInteger(headers.get('upload-length'))
  const content = body === undefined ? 0 : readInteger(headers.get('content-length'))
  const byContent = isLast && content !== undefined ? offset + content : undefined
  const [length, ...others] = new Set([known, told, byContent].filter((value) => value !== undefined))
  if (others.length > 0) return inconsistent('The lengths that were told of the upload differ')
  return length
}

const inconsistent = (title: string): HttpResponse => problem(400, 'inconsistent-upload-length', title, {}, {})

/** RFC 9457, with the types that the draft registers. */
function problem(
  status: number,
  type: string,
  title: string,
  facts: Readonly<Record<string, number>>,
  fields: Readonly<Record<string, string>>,
): HttpResponse {
  const body = { type: `https://iana.org/assignments/http-problem-types#${type}`, title, status, ...facts }
  const headers = { ...fields, 'Content-Type': 'application/problem+json' }
  return new HttpResponse(JSON.stringify(body), { status, headers })
}
