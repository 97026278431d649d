import { errorCodeOf, MoorageError } from '../base/errors.js'
import type { FieldInit } from '../engine/http/fields.js'
import { fieldPairs } from '../engine/http/fields.js'
import { chooseMediaType } from '../engine/http/negotiation.js'
import { reasonOf } from '../engine/http/status.js'
import { addPairs } from './added-fields.js'
import { discard } from './response-body.js'
import { html, HttpError, json, text, type HttpResponse, type ProblemExtensions } from './response.js'

const OFFERED = ['text/plain', 'text/html', 'application/problem+json', 'application/json'] as const

/**
 * What a client is told of an error, as it reads it best: a page for browsers, problem details (RFC 9457) for those that
 * ask for JSON, else a line of text. `message` is what the handler says to clients; without one, the name of the status.
 */
export function errorAnswer(
  { status, message, headers, extensions }: Omit<ErrorStatus, 'fault'>,
  accept: string | undefined,
): HttpResponse {
  const title = reasonOf(status) === '' ? `Status ${status}` : reasonOf(status)
  // What the error is told in is chosen here, so its type is too.
  const fields = [...fieldPairs(headers ?? [])].filter(([name]) => name.toLowerCase() !== 'content-type')
  switch (accept === undefined ? 'text/plain' : chooseMediaType(accept, OFFERED)) {
    case 'text/html':
      return html(errorPage(status, title, message), { status, headers: addPairs(PAGE_POLICY, fields) })
    case 'application/problem+json':
    case 'application/json': {
      const problem = { ...extensions, title, status, ...(message === '' ? {} : { detail: message }) }
      return json(problem, { status, headers: [...fields, ['Content-Type', 'application/problem+json']] })
    }
    default:
      return text(`${message === '' ? title : message}\n`, { status, headers: fields })
  }
}

/** What is answered when a handler throws; `fault` is what the server's own people should know of it. */
export interface ErrorStatus {
  readonly status: number
  readonly message: string
  readonly headers: FieldInit | undefined
  readonly extensions: ProblemExtensions | undefined
  readonly fault: unknown
}

/** A status without a word of the handler's. */
export const bareStatus = (status: number): Omit<ErrorStatus, 'fault'> => ({
  ...{ status, message: '', headers: undefined, extensions: undefined },
})

export function statusOfError(error: unknown): ErrorStatus {
  if (error instanceof HttpError) {
    const { status, message, headers, extensions, cause } = error
    return { status, message, headers, extensions, fault: status >= 500 ? cause : undefined }
  }
  // No descriptor is left: a moment that passes, as when there are too many connections.
  if (['EMFILE', 'ENFILE'].includes(errorCodeOf(error) ?? ''))
    return { ...bareStatus(503), headers: { 'Retry-After': '1' }, fault: error }
  const own = clientStatus(error)
  return { ...bareStatus(own ?? 500), fault: own === undefined ? error : undefined }
}

/** What is wrong with a handler that returns something else. */
export const notAnswer = (value: unknown): TypeError =>
  new TypeError(`The handler returned a value of type ${typeof value}, and no HttpResponse: return text(…), json(…), …`)

/** The status for an error that is the client's, thrown by what the handler called. */
function clientStatus(error: unknown): number | undefined {
  if (!(error instanceof MoorageError) || error.fault !== 'remote') return undefined
  const { status } = error.details
  return typeof status === 'number' ? status : 400
}

/** It runs nothing and loads nothing. */
const PAGE_POLICY = [
  ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'"],
  ['X-Content-Type-Options', 'nosniff'],
] as const

function errorPage(status: number, title: string, message: string): string {
  const detail = message === '' ? '' : `<p>${escapeHtml(message)}</p>\n`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${status} ${escapeHtml(title)}</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 20vh auto; padding: 0 1rem }
h1 { font-size: 1.5rem }
</style>
<h1>${status} ${escapeHtml(title)}</h1>
${detail}</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as it stands in a page, also within quotes. */
export const escapeHtml = (words: string): string =>
  words.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)

/** What is answered when a handler throws; `report` hears of what its own people should know. */
export function answerToError(
  thrown: unknown,
  accept: string | undefined,
  report: (fault: unknown) => void,
): HttpResponse {
  const told = statusOfError(thrown)
  if (told.fault !== undefined) report(told.fault)
  try {
    return errorAnswer(told, accept)
  } catch (error) {
    // A status or a field that cannot be sent.
    report(error)
    return errorAnswer(bareStatus(500), accept)
  }
}

/** In place of an answer that would be made of a body over its limit. */
export function tooLongInstead(given: HttpResponse): HttpResponse {
  discard(given)
  return text(`${reasonOf(413)}\n`, { status: 413 })
}
