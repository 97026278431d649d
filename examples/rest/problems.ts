import { MoorageError } from 'moorage'
import { reasonOf } from 'moorage/engine/http'
import { HttpError, HttpResponse, type HttpFunction, type Routes } from 'moorage/http'

/** Errors as problem details (RFC 9457), whatever the client accepts: this service speaks nothing but JSON. */
export function withProblems(routes: Routes): HttpFunction {
  return async (request, server) => {
    try {
      return await routes.handle(request, server)
    } catch (error) {
      const { status, message, headers = {}, extensions } = toHttpError(error)
      const problem = { ...extensions, title: reasonOf(status), status, ...(message === '' ? {} : { detail: message }) }
      const type = { 'Content-Type': 'application/problem+json' }
      return new HttpResponse(JSON.stringify(problem), { status, headers: type }).with(headers)
    }
  }
}

/** What clients are told. What is nobody's answer is thrown on: the server answers with 500, and reports it. */
function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError && error.cause === undefined) return error
  if (!(error instanceof MoorageError) || error.fault !== 'remote') throw error
  const { status } = error.details
  return new HttpError(typeof status === 'number' ? status : 400, error.message)
}
